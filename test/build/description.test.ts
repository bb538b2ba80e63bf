/** Checkpoints of one GGUF file: the description that is made of its metadata, against the files of Hugging Face. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe as description } from '#src/build/description.js'
import { writeGraphs } from '#src/build/dry-run.js'
import { familyOf } from '#src/build/families.js'
import { buildEngines } from '#src/build.js'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { readLlamaConfig } from '#src/models/llama/config.js'
import { readManifest } from '#src/runtime/store.js'
import { loadChatTemplate } from '#src/text/chat-template.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { checkpoint, root } from '../root.js'
import { cpu } from './settings.js'

const smollm2 = checkpoint('smollm2-135m-instruct')
const weights = 'SmolLM2-135M-Instruct-Q4_1.gguf'
const miniature = join(root, 'test/golden/gguf/sentencepiece.gguf')

interface Case {
  text: string
  ids: number[]
  decoded: string
}
const golden = <T>(path: string): T => JSON.parse(readFileSync(join(root, 'test/golden', path), 'utf8')) as T

describe('build/description', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'description-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** A checkpoint's folder with links to these files. */
  const linked = (name: string, ...files: string[]): string => {
    const path = join(folder, 'checkpoints', name)
    mkdirSync(path, { recursive: true })
    for (const file of files) symlinkSync(file, join(path, file.split('/').at(-1)!))
    return path
  }
  /** Its description in a folder apart. */
  const described = (source: string): string => {
    const building = join(folder, 'building')
    mkdirSync(building)
    using opened = openCheckpoint(source)
    return description(source, opened, building)
  }

  describe('SmolLM2’s file alone', () => {
    it('is the same network, with the same ends and the same prompt', () => {
      const source = linked('bare', join(smollm2, weights))
      assert.equal(familyOf(source), 'llama')
      const made = described(source)
      assert.deepEqual(readLlamaConfig(made), readLlamaConfig(smollm2))
      assert.deepEqual(readdirSync(source), [weights], 'nothing is written beside it')
      const messages = [
        { role: 'user', content: 'Hello!' },
        { role: 'assistant', content: 'Hi.' },
        { role: 'user', content: 'Who are you?' },
      ]
      assert.equal(
        loadChatTemplate(made).render({ messages }),
        loadChatTemplate(smollm2).render({ messages }),
      )
      const generation = JSON.parse(readFileSync(join(made, 'generation_config.json'), 'utf8'))
      assert.deepEqual(generation.eos_token_id, [2, 0])
    })

    it('has the same tokens', () => {
      const tokenizer = loadTokenizer(described(linked('bare', join(smollm2, weights))))
      const reference = loadTokenizer(smollm2)
      assert.equal(tokenizer.vocabularySize, reference.vocabularySize)
      assert.deepEqual([...tokenizer.specialTokens].sort(), [...reference.specialTokens].sort())
      type Chat = { prompt: string; prompt_ids: number[] }
      const {
        tokenizer: cases,
        tokenizer_lossy: lossy,
        chats,
      } = golden<{
        tokenizer: Case[]
        tokenizer_lossy: Case[]
        chats: Chat[]
      }>('smollm2/tokenizer.json')
      for (const { text, ids } of [...cases, ...lossy]) assert.deepEqual(tokenizer.encode(text), ids, text)
      for (const { prompt, prompt_ids } of chats) assert.deepEqual(tokenizer.encode(prompt), prompt_ids)
      for (let id = 0; id < reference.vocabularySize; id += 7)
        for (const keepSpecial of [false, true])
          assert.deepEqual(tokenizer.bytes(id, { keepSpecial }), reference.bytes(id, { keepSpecial }))
    })

    it('yields to the files that are there', () => {
      const source = linked('partly', join(smollm2, weights), join(smollm2, 'tokenizer.json'))
      writeFileSync(join(source, 'chat_template.jinja'), 'own template')
      const made = described(source)
      assert.deepEqual(
        readFileSync(join(made, 'tokenizer.json')),
        readFileSync(join(smollm2, 'tokenizer.json')),
      )
      assert.equal(loadChatTemplate(made).render({ messages: [] }), 'own template')
    })

    it('is not looked at where the description is whole', () => {
      assert.equal(described(smollm2), smollm2)
      assert.deepEqual(readdirSync(join(folder, 'building')), [])
    })
  })

  describe('a miniature of SentencePiece’s kind, by the reference’s own writer', () => {
    const { cases, template } = golden<{ cases: Case[]; template: string }>('gguf/sentencepiece.json')

    it('is encoded and decoded as SentencePiece does', () => {
      const tokenizer = loadTokenizer(described(linked('small', miniature)))
      for (const { text, ids, decoded } of cases) {
        assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text))
        assert.equal(tokenizer.decode(ids), decoded)
      }
      assert.equal(tokenizer.decode([1, 3, 2]), '<tool>')
    })

    it('becomes an engine that needs nothing else', async () => {
      const source = linked('small', miniature)
      const options = { checkpoints: join(folder, 'checkpoints'), engines: join(folder, 'engines'), ...cpu }
      const statuses = async () => (await buildEngines(options)).map(({ model, status }) => [model, status])
      assert.deepEqual(await statuses(), [['small', 'built']])
      assert.deepEqual(await statuses(), [['small', 'up-to-date']])
      const engine = join(options.engines, 'onnxruntime', 'small')
      const { sources, files, family } = readManifest(engine)
      assert.deepEqual([family, Object.keys(sources)], ['llama', ['sentencepiece.gguf']])
      for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
        assert.ok(name in files && existsSync(join(engine, name)), name)
      assert.equal(readLlamaConfig(engine).vocabulary, 460)
      assert.equal(
        loadChatTemplate(engine).render({ messages: [{ role: 'user', content: 'Hi' }] }),
        '<s>[INST] Hi [/INST]',
      )
      assert.ok(template.includes('bos_token'))
      assert.deepEqual(readdirSync(source), ['sentencepiece.gguf'])
    })

    it('is described by the file where config.json only names a type', async () => {
      const source = linked('small', miniature)
      const make = () => buildEngines({ checkpoints: join(folder, 'checkpoints'), engines: folder, ...cpu })
      writeFileSync(join(source, 'config.json'), '\ufeff{\r\n"model_type":"bert"\r\n}\r\n')
      await make()
      const engine = join(folder, 'onnxruntime', 'small')
      assert.equal(readLlamaConfig(engine).vocabulary, 460)
      // one that does describe a network is taken at its word
      writeFileSync(join(source, 'config.json'), '{"model_type":"bert","num_hidden_layers":1}')
      await assert.rejects(make(), /config\.json describes a model of type "bert"/)
    })

    it('is written by a dry run, too', () => {
      linked('small', miniature)
      const out = join(folder, 'out')
      const [report] = writeGraphs({ checkpoints: join(folder, 'checkpoints'), out, ...cpu })
      assert.equal(report?.model, 'small')
      assert.ok(existsSync(join(out, 'small', 'decoder.onnx')))
    })
  })

  it('names a folder without config.json and GGUF as no checkpoint', async () => {
    cpSync(
      join(smollm2, 'tokenizer_config.json'),
      join(folder, 'checkpoints', 'half', 'tokenizer_config.json'),
    )
    const building = buildEngines({
      checkpoints: join(folder, 'checkpoints'),
      engines: folder,
      ...cpu,
      models: ['half'],
    })
    await assert.rejects(building, /There is no checkpoint half with a config\.json or a GGUF file/)
  })

  it('names the family of a GGUF that is not supported', async () => {
    const source = linked('other')
    const bytes = readFileSync(miniature)
    const at = bytes.indexOf('general.architecture') + 'general.architecture'.length + 4 + 8
    copyFileSync(miniature, join(source, 'x.gguf'))
    bytes.write('mamba', at, 'latin1')
    writeFileSync(join(source, 'x.gguf'), bytes)
    const building = buildEngines({ checkpoints: join(folder, 'checkpoints'), engines: folder, ...cpu })
    await assert.rejects(building, /other describes a model of type "mamba"; supported are/)
  })
})
