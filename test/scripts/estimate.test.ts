import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { plainNames } from '#src/models/kokoro/weights.js'
import { readLlamaConfig } from '#src/models/llama/config.js'
import { readConfig } from '#src/models/whisper/config.js'
import { checkpoint, root } from '../root.js'

interface Work {
  readonly bytes: number
  readonly flops: number
}
interface Model {
  readonly weightBytes: number
}
interface Estimates {
  whisperWork(name: string, sizes: object): Model & { encoder: Work }
  llamaWork(
    name: string,
    sizes: object,
    weightBytes: number,
  ): Model & { step(batch: number, past: number): Work }
  kokoroWork(checkpoint: object): Model & { sentence(seconds: number): Work }
}

describe('scripts/estimate', () => {
  let work: Estimates
  before(async () => {
    work = (await import(pathToFileURL(join(root, 'scripts', 'estimate', 'work.js')).href)) as Estimates
  })

  const near = (actual: number, wanted: number, part: number) =>
    assert.ok(Math.abs(actual / wanted - 1) < part, `${actual} instead of ${wanted}`)

  it('counts the weights that the checkpoints have', () => {
    const whisper = work.whisperWork('base', readConfig(checkpoint('whisper-base')))
    near(whisper.weightBytes, 2 * 72.6e6, 0.03)
    const llama = work.llamaWork('smollm2', readLlamaConfig(checkpoint('smollm2-135m-instruct')), 2)
    near(llama.weightBytes, 2 * 134.5e6, 0.01)
    using kokoro = openCheckpoint(checkpoint('kokoro-82m'))
    near(work.kokoroWork(plainNames(kokoro)).weightBytes, 2 * 81.8e6, 0.01)
  })

  it('reads every weight once per step, whatever the batch', () => {
    const llama = work.llamaWork('smollm2', readLlamaConfig(checkpoint('smollm2-135m-instruct')), 2)
    const [one, eight] = [llama.step(1, 0), llama.step(8, 0)]
    assert.equal(one.bytes, llama.weightBytes)
    assert.equal(eight.bytes, one.bytes)
    assert.equal(eight.flops, 8 * one.flops)
  })

  it('prints a table for every set of models, marked as computed', () => {
    const text = execFileSync(process.execPath, [join(root, 'scripts', 'estimate.js')], { encoding: 'utf8' })
    assert.match(text, /computed, not measured/)
    assert.equal([...text.matchAll(/^## /gm)].length, 3)
    assert.doesNotMatch(text, /NaN|undefined|Infinity/)
  })
})
