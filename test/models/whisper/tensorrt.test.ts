/** The graphs for TensorRT: what its parser and builder would say, and windows that run together. */
import assert from 'node:assert/strict'
import { precisions } from '#src/models/plan.js'
import { planWhisper } from '#src/models/whisper/build.js'
import { Recording } from '#src/models/whisper/mel.js'
import { type Feeds, float32, floats, type HostTensor, int64 } from '#src/runtime/session.js'
import { violations } from '../../graph/tensorrt-rules.js'
import { engine, plan } from './engine.js'
import { clip, relativeError } from './golden.js'
import { base, folderOf, layout, randomCheckpoint, turbo } from './miniature.js'

describe('whisper: the graphs for TensorRT', () => {
  for (const precision of precisions.tensorrt) {
    it(`keep to its rules in ${precision}, those of whisper-base`, () => {
      assert.deepEqual(plan(`tensorrt ${precision}`).graphs.flatMap(violations), [])
    })
    for (const [name, sizes] of Object.entries({ base, turbo }))
      it(`keep to its rules in ${precision}, those of a miniature of ${name}`, () => {
        const checkpoint = randomCheckpoint(layout(sizes))
        const options = { target: 'tensorrt', precision, slots: 4, stateBytes: 2 ** 30 } as const
        const { graphs } = planWhisper(folderOf(sizes), checkpoint, options)
        assert.deepEqual(graphs.flatMap(violations), [])
        const [mel, encoder, decoder] = graphs
        assert.deepEqual([mel!.tf32, mel!.graph.float], [false, 'float32'])
        assert.equal(encoder!.resident!.length, 2 * sizes.decoder_layers)
        assert.deepEqual(decoder!.resident, encoder!.resident)
        assert.deepEqual([decoder!.slots, decoder!.stateRows], [4, sizes.max_target_positions])
      })
  }
})

/** Rows of a matrix product round otherwise in another company; in float16 that turns a rounding here and there. */
const limits = { 'tensorrt float32': 1e-5, 'tensorrt float16': 5e-3 } as const

for (const [form, limit] of Object.entries(limits))
  describe(`whisper: two windows in a batch in ${form}`, function () {
    this.timeout(180_000)
    const clips = ['spk1_snt1', 'jfk']
    const prompts = [
      [50258, 50259, 50359, 50363],
      [50361, 291, 25, 50258],
    ]
    const [FIRST, ALONE] = [3, 9]

    it('are heard as each alone, in slots side by side', async () => {
      const { mel, encoder, decoder, config } = await engine(form as keyof typeof limits)
      const same = (actual: Float32Array, wanted: Float32Array, what: string) => {
        const error = relativeError(actual, wanted)
        assert.ok(error < limit, `${what} differs by a share of ${error}`)
      }
      const uses = (past: readonly number[]) => past.map((past, i) => ({ slot: FIRST + i, past }))
      const step = (tokens: readonly number[][], past: readonly number[], rows: readonly number[]) => ({
        tokens: int64(tokens.flat(), [tokens.length, tokens[0]!.length]),
        past_length: int64(past),
        logit_rows: int64(rows),
      })

      const windows: Feeds[] = []
      for (const name of clips) {
        const recording = await Recording.open(mel, config, clip(name), new AbortController().signal)
        windows.push((await recording.window(0)).feeds!)
      }
      await encoder.run(together(windows), uses([0, 0]))
      const prefilled = await decoder.run(step(prompts, [0, 0], [3, 7]), uses([0, 0]))
      // From here on the second goes on where it was two tokens before.
      const both = step([[1000], [2000]], [4, 2], [0, 1])
      const decoded = await decoder.run(both, uses([4, 2]))

      for (const [i, window] of windows.entries()) {
        const at = (past: number) => [{ slot: ALONE, past }]
        const row = (logits: Float32Array) =>
          logits.subarray(i * config.vocabulary, (i + 1) * config.vocabulary)
        await encoder.run(window, at(0))
        const first = await decoder.run(step([prompts[i]!], [0], [3]), at(0))
        same(row(floats(prefilled, 'logits')), floats(first, 'logits'), `the prompt of ${clips[i]}`)
        const past = [4, 2][i]!
        const next = await decoder.run(step([[[1000], [2000]][i]!], [past], [0]), at(past))
        same(row(floats(decoded, 'logits')), floats(next, 'logits'), `the step of ${clips[i]}`)
        decoder.release(ALONE)
      }
    })
  })

/** Tensors [1, …] of several windows, or sequences, as those of a batch. */
function together(windows: readonly Feeds[]): Feeds {
  const joined = (name: string): HostTensor => {
    const parts = windows.map((window) => window[name]!)
    const dims = [parts.length, ...parts[0]!.dims.slice(1)]
    if (parts[0]!.dtype === 'int64') return int64(parts.flatMap(({ data }) => Array.from(data, Number)))
    return float32(Float32Array.from(parts.flatMap(({ data }) => Array.from(data as Float32Array))), dims)
  }
  return Object.fromEntries(Object.keys(windows[0]!).map((name) => [name, joined(name)]))
}
