/** Miniatures of every family whose numbers transformers computed: test/golden/families/README.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../root.js'
import { newFolder } from './engine.js'

export type Config = Record<string, unknown>
export type Tensors = Map<string, { dims: number[]; data: Float32Array }>

export interface Miniature {
  readonly name: string
  readonly config: Config
  /** Made anew at each call. */
  readonly tensors: () => Tensors
  readonly prompt: readonly number[]
  /** Of some rows of the prompt, by row; the last is among them. */
  readonly logits: ReadonlyMap<number, Float32Array>
  readonly greedy: readonly number[]
  readonly margins: readonly number[]
  /** Behind the last of `greedy`. */
  readonly after: Float32Array
}

/** Of different lengths: within a window of 8 rows, beyond it, and one that leaves it. */
export const sequences = [3, 20, 7].map((length, i) => ({
  prompt: Array.from({ length }, (_, k) => (k * 31 + 7 * i) % 96),
  reply: Array.from({ length: 5 }, (_, k) => (k * 17 + i) % 96),
}))

interface Golden {
  readonly config: Config
  readonly tensors: Readonly<Record<string, number[]>>
  readonly prompt: readonly number[]
  readonly logits: Readonly<Record<string, readonly number[]>>
  readonly greedy: readonly number[]
  readonly margins: readonly number[]
  readonly after: readonly number[]
}

const file = join(root, 'test', 'golden', 'families', 'golden.json')
const goldens: Readonly<Record<string, Golden>> = JSON.parse(readFileSync(file, 'utf8')).families

export const miniatures: readonly Miniature[] = Object.entries(goldens).map(([name, golden]) => ({
  ...golden,
  name,
  tensors: () => tensorsOf(golden),
  logits: new Map(
    Object.entries(golden.logits).map(([row, logits]) => [Number(row), Float32Array.from(logits)]),
  ),
  after: Float32Array.from(golden.after),
}))

export function miniature(name: string): Miniature {
  const found = miniatures.find((one) => one.name === name)
  if (!found) throw new Error(`no miniature ${name}`)
  return found
}

function tensorsOf({ config, tensors }: Golden): Tensors {
  const aroundOne = !String(config.model_type).startsWith('gemma')
  return new Map(
    Object.entries(tensors).map(([name, [...dims]]) => {
      const data = weight(
        name,
        dims.reduce((a, b) => a * b, 1),
      )
      return [
        name,
        { dims, data: name.includes('norm') && aroundOne ? data.map((value) => value + 1) : data },
      ]
    }),
  )
}

/** As the golden's script: the finalizer of MurmurHash3 over the places, from FNV-1a of the name on. */
function weight(name: string, count: number): Float32Array {
  const seed = Buffer.from(name).reduce((state, byte) => Math.imul(state ^ byte, 0x01000193), 0x811c9dc5)
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b1) + seed) | 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return (((h ^ (h >>> 16)) >>> 21) / 2048 - 0.5) / 2
  })
}

/** A checkpoint's folder with these tensors as F32 safetensors, and tokenizer files without content. */
export function writeCheckpoint(json: Config, tensors: Tensors): string {
  const folder = newFolder()
  const header: Record<string, object> = {}
  let at = 0
  for (const [name, { dims, data }] of tensors) {
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [at, at + data.byteLength] }
    at += data.byteLength
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const data = [...tensors.values()].map((tensor) => new Uint8Array(tensor.data.buffer))
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, text, ...data]))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json))
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) writeFileSync(join(folder, name), '{}')
  return folder
}
