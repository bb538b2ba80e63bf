/** Files as llama.cpp's converter writes them: names, rows and norms, up to the reference's logits. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ggufConfig } from '#src/build/gguf-config.js'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { floats } from '#src/runtime/session.js'
import { gguf, ggufString, keyValue, tensorInfo } from '../../checkpoint/writers.js'
import { root } from '../../root.js'
import { buildEngine, newFolder, run } from './engine.js'
import { largestDifference } from './golden.js'
import { type Miniature, miniatures } from './tiny.js'

/** test/golden/families/README.md says what it is. */
interface Converted {
  readonly metadata: Readonly<Record<string, string | number>>
  readonly tensors: Readonly<Record<string, readonly [of: string | number[], how: string]>>
}
const file = join(root, 'test', 'golden', 'families', 'gguf.json')
const converted: Readonly<Record<string, Converted>> = JSON.parse(readFileSync(file, 'utf8')).families

/** Settings that the converter does not write: whoever has only the file can not know them. */
const unwritten = ['Mistral, windows', 'Qwen 2, windows', 'Qwen 3, biases, windows', 'Gemma 3, capped']

describe('models/llama: GGUF files of llama.cpp', () => {
  for (const miniature of miniatures) {
    const { name, prompt, logits } = miniature
    const check = async (folder: string) => {
      const session = await buildEngine(folder, 'float32').open('decoder')
      const all = floats(await run(session, prompt, 0, [...logits.keys()]), 'logits')
      await session.dispose()
      for (const [i, wanted] of [...logits.values()].entries())
        assert.ok(largestDifference(all.slice(i * 96, (i + 1) * 96), wanted) < 1e-4)
    }

    it(`${name}: has the reference's logits beside its config.json`, () => check(folderOf(miniature)))

    if (!unwritten.includes(name))
      it(`${name}: and says what it would`, () => {
        const folder = folderOf(miniature)
        using checkpoint = openCheckpoint(folder)
        writeFileSync(join(folder, 'config.json'), JSON.stringify(ggufConfig(checkpoint, folder)))
        return check(folder)
      })
  }
})

/** A miniature as the converter writes it, beside its config.json. */
function folderOf({ name, tensors: make, config }: Miniature): string {
  const { metadata, tensors } = converted[name]!
  const sources = make()
  const infos: Buffer[] = []
  const data: Buffer[] = []
  let offset = 0
  for (const [tensor, [of, how]] of Object.entries(tensors)) {
    const source =
      typeof of === 'string' ? sources.get(of)! : { dims: [of.length], data: Float32Array.from(of) }
    const heads = /k_proj/.test(String(of)) ? config.num_key_value_heads : config.num_attention_heads
    const numbers = how === 'pairs' ? inPairs(source.data, source.dims[0]!, Number(heads)) : source.data
    const bytes = new Uint8Array(numbers.map((value) => (how === 'plus one' ? value + 1 : value)).buffer)
    const padding = Buffer.alloc((32 - (bytes.length % 32)) % 32)
    infos.push(tensorInfo(tensor, [...source.dims].reverse(), 0, offset))
    data.push(Buffer.from(bytes), padding)
    offset += bytes.length + padding.length
  }
  const keys = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === 'string') return keyValue(key, 8, ggufString(value))
    const number = Buffer.alloc(4)
    if (Number.isInteger(value)) number.writeUInt32LE(value)
    else number.writeFloatLE(value)
    return keyValue(key, Number.isInteger(value) ? 4 : 6, number)
  })
  const folder = newFolder()
  writeFileSync(join(folder, 'model.gguf'), gguf({ keys, infos, data: Buffer.concat(data) }))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) writeFileSync(join(folder, name), '{}')
  return folder
}

/** Rows of each head, halves one after the other, as neighbours. */
function inPairs(data: Float32Array, rows: number, heads: number): Float32Array {
  const [columns, half] = [data.length / rows, rows / heads / 2]
  const result = new Float32Array(data.length)
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < half; i++)
      for (const part of [0, 1]) {
        const from = (2 * head + part) * half + i
        const to = 2 * (head * half + i) + part
        result.set(data.subarray(from * columns, (from + 1) * columns), to * columns)
      }
  return result
}
