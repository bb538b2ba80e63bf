/** One network in the files of every storage, from the file to the logits, on both targets. */
import assert from 'node:assert/strict'
import type { BlockStorage } from '#src/checkpoint/gguf-blocks.js'
import { decoder } from '#src/models/llama/bindings.js'
import { floats } from '#src/runtime/session.js'
import { relativeError } from '../../graph/reference.js'
import { violations } from '../../graph/tensorrt-rules.js'
import { buildEngine, run } from './engine.js'
import { ggufCheckpoint, packedCheckpoint, packings } from './quantised.js'
import { openTensorrt, prefill, withPlan } from './tensorrt.js'

const tokens = Array.from({ length: 9 }, (_, i) => (i * 37 + 11) % 80)
const last = tokens.length - 1

/** What the layers are, and what their values, down projection and table are. */
const ggufs: [BlockStorage, BlockStorage][] = [
  ['Q4_0', 'Q4_0'],
  ['Q4_1', 'Q8_0'],
  ['Q5_0', 'Q5_0'],
  ['Q5_1', 'Q5_1'],
  ['Q4_K', 'Q6_K'],
  ['Q5_K', 'Q5_K'],
  ['Q6_K', 'Q4_K'],
]
const sources: [title: string, make: () => string, fourBits: boolean][] = [
  ...ggufs.map(([storage, other]): [string, () => string, boolean] => [
    `GGUF of ${storage} and ${other}`,
    () => ggufCheckpoint(storage, other),
    storage.startsWith('Q4') && other.startsWith('Q4'),
  ]),
  ...Object.entries(packings).map(([title, packing]): [string, () => string, boolean] => [
    title,
    () => packedCheckpoint(packing),
    !title.includes('8 bits'),
  ]),
]

async function cpuLogits(
  source: string,
  linear: 'float32' | 'int8-blocks' | 'int8-bytes' | 'int8-digits',
): Promise<Float32Array> {
  const session = await buildEngine(source, 'float32', { linear }).open('decoder')
  try {
    return floats(await run(session, tokens, 0, [last]), decoder.logits)
  } finally {
    await session.dispose()
  }
}

describe('models/llama: storages', () => {
  for (const [title, make, fourBits] of sources)
    it(`${title}: every form on both targets`, async () => {
      const source = make()
      const wanted = await cpuLogits(source, 'float32')
      assert.ok(wanted.some((value) => Math.abs(value) > 0.1))
      for (const form of ['int8-blocks', 'int8-bytes', 'int8-digits'] as const) {
        const error = relativeError(await cpuLogits(source, form), wanted)
        assert.ok(error < 3e-2, `${form}: ${error}`)
      }
      const sizes = { slots: 2, stateRows: 64 }
      for (const [precision, limit] of [
        ['float16', 5e-3],
        ['int8', 3e-2],
        ['int4', fourBits ? 2e-2 : 0.3],
      ] as const) {
        assert.deepEqual(await withPlan(source, precision, sizes, violations), [])
        const session = await openTensorrt(source, precision, sizes)
        const error = relativeError(await prefill(session, tokens, 0, 64), wanted)
        await session.dispose()
        assert.ok(error < limit, `${precision}: ${error}`)
      }
    })
})
