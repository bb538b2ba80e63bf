/** Models of this machine: linked into the checkpoints. */
import assert from 'node:assert/strict'
import fs, {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from '#src/errors.js'
import { fetchModel } from '#src/hub/fetch-model.js'
import { checkpoint, root } from '../root.js'

const miniature = join(root, 'test/golden/gguf/sentencepiece.gguf')
const smollm2 = checkpoint('smollm2-135m-instruct')

describe('hub/local', () => {
  let folder = ''
  let checkpoints = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'local-'))
    checkpoints = join(folder, 'checkpoints')
    mkdirSync(checkpoints)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const take = (path: string, name?: string) =>
    fetchModel(path, {
      checkpoints,
      environment: {},
      signal: new AbortController().signal,
      onProgress: () => {},
      ...(name === undefined ? {} : { name }),
    })
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof SetupError && message.test(error.message)

  it('links a GGUF file, once', async () => {
    const file = join(folder, 'My Model.Q4_0.gguf')
    writeFileSync(file, readFileSync(miniature))
    const taken = await take(file)
    assert.deepEqual([taken.name, taken.family, taken.fetched], ['my-model.q4_0', 'llama', true])
    const linked = join(taken.folder, 'My Model.Q4_0.gguf')
    assert.equal(statSync(linked).ino, statSync(file).ino)
    assert.equal((await take(file)).fetched, false)
    rmSync(file)
    writeFileSync(file, readFileSync(miniature))
    assert.equal((await take(file)).fetched, true)
    assert.equal(statSync(linked).ino, statSync(file).ino)
  })

  it('links a folder’s files, through links, and leaves the rest', async () => {
    const source = join(folder, 'Snapshot')
    mkdirSync(source)
    for (const name of readdirSync(smollm2)) symlinkSync(join(smollm2, name), join(source, name))
    writeFileSync(join(source, 'pytorch_model.bin'), 'pickle')
    const { folder: made } = await take(source)
    const weights = 'SmolLM2-135M-Instruct-Q4_1.gguf'
    assert.deepEqual(readdirSync(made).sort(), [
      '.fetched.json',
      'LICENSE',
      weights,
      'config.json',
      'generation_config.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    assert.ok(statSync(join(made, weights)).isFile())
    assert.equal(statSync(join(made, weights)).size, statSync(join(smollm2, weights)).size)
  })

  it('takes a GGUF’s folder whose config.json only names a type', async () => {
    const source = join(folder, 'stub')
    mkdirSync(source)
    symlinkSync(miniature, join(source, 'x.gguf'))
    writeFileSync(join(source, 'config.json'), '{"model_type":"bert"}')
    assert.equal((await take(source)).family, 'llama')
  })

  it('names a link that leads nowhere', async () => {
    const source = join(folder, 'Cleaned')
    mkdirSync(source)
    for (const name of readdirSync(smollm2))
      symlinkSync(join(name.endsWith('.json') ? smollm2 : folder, name), join(source, name))
    rmSync(join(source, 'SmolLM2-135M-Instruct-Q4_1.gguf'))
    symlinkSync(join(folder, 'blobs', 'gone'), join(source, 'model.safetensors'))
    symlinkSync(join(folder, 'gone'), join(source, 'pytorch_model.bin'))
    await assert.rejects(take(source), refused(/LICENSE is a link to .*, which is not there: fetch/))
    rmSync(join(source, 'LICENSE'))
    await assert.rejects(take(source), refused(/model\.safetensors is a link to .*gone, which is not there/))
    assert.deepEqual(readdirSync(checkpoints), [])
    rmSync(join(source, 'model.safetensors'))
    copyFileSync(miniature, join(source, 'x.gguf'))
    assert.equal((await take(source)).family, 'llama', 'what is not needed may be gone')
  })

  it('copies to another disk, and leaves no half of it where there is no room', async () => {
    const { linkSync, copyFileSync } = fs
    const refuses = (code: string) => (path: string) => {
      throw Object.assign(new Error(code), { code, path, syscall: 'copyfile' })
    }
    const copies: string[] = []
    const outOfRoom = (from: string, to: string, mode: number) => {
      copies.push(from)
      copyFileSync(from, to, mode)
      if (copies.length === 3) refuses('ENOSPC')(from)
    }
    Object.assign(fs, { linkSync: refuses('EXDEV'), copyFileSync: outOfRoom })
    syncBuiltinESMExports()
    try {
      await assert.rejects(take(smollm2), refused(/can not be put into .*ENOSPC, .*there is no space left/))
      assert.equal(copies.length, 3)
      assert.deepEqual(readdirSync(checkpoints), [])
      const { folder: made } = await take(smollm2)
      for (const name of ['LICENSE', 'config.json'])
        assert.deepEqual(readFileSync(join(made, name)), readFileSync(join(smollm2, name)))
      assert.notEqual(statSync(join(made, 'LICENSE')).ino, statSync(join(smollm2, 'LICENSE')).ino)
    } finally {
      Object.assign(fs, { linkSync, copyFileSync })
      syncBuiltinESMExports()
    }
  })

  it('refuses what can not be built, and names that are taken', async () => {
    const source = join(folder, 'other')
    mkdirSync(source)
    writeFileSync(join(source, 'model.safetensors'), 'x')
    await assert.rejects(take(source), refused(/has no config\.json/))
    writeFileSync(join(source, 'config.json'), '{"model_type":"bert"}')
    await assert.rejects(take(source), refused(/describes a model of type "bert"/))
    await assert.rejects(take(join(source, 'model.safetensors')), refused(/is no GGUF file/))
    assert.deepEqual(readdirSync(checkpoints), [], 'nothing is left')
    await take(miniature, 'mine')
    await assert.rejects(take(smollm2, 'mine'), refused(/mine is there and did not come from/))
  })
})
