import assert from 'node:assert/strict'
import { optimizationProfiles } from '#src/build/profiles.js'
import { Graph } from '#src/graph/graph.js'
import type { Profile } from '#src/runtime/session.js'
import { noWeights } from '../graph/evaluate.js'

describe('build/profiles', () => {
  const graph = new Graph('decoder', { weights: noWeights })
  graph.input('tokens', 'int32', ['batch', 'rows'])
  graph.input('past', 'float16', ['batch', 3, 512, 64])
  graph.input('scale', 'float32', [1])
  const profile = (name: string, sizes: Profile['sizes']): Profile => ({ name, sizes })

  it('gives every input with an open size its dimensions, fixed ones repeated', () => {
    const profiles = [
      profile('prefill', { batch: [1, 1, 1], rows: [1, 128, 512] }),
      profile('decode', { batch: [1, 4, 8], rows: [1, 1, 1] }),
    ]
    assert.deepEqual(optimizationProfiles({ graph, profiles }), [
      {
        tokens: { min: [1, 1], opt: [1, 128], max: [1, 512] },
        past: { min: [1, 3, 512, 64], opt: [1, 3, 512, 64], max: [1, 3, 512, 64] },
      },
      {
        tokens: { min: [1, 1], opt: [4, 1], max: [8, 1] },
        past: { min: [1, 3, 512, 64], opt: [4, 3, 512, 64], max: [8, 3, 512, 64] },
      },
    ])
  })

  it('gives none for a graph of fixed sizes', () => {
    const fixed = new Graph('fixed', { weights: noWeights })
    fixed.input('x', 'float32', [2, 4])
    assert.deepEqual(optimizationProfiles({ graph: fixed }), [])
  })

  it('refuses a plan that leaves a size open, or has one the wrong way round', () => {
    const refused = (profiles: readonly Profile[], message: RegExp) =>
      assert.throws(() => optimizationProfiles({ graph, profiles }), message)
    refused([], /^Error: decoder has open sizes \(input tokens\) and no profile$/)
    refused([profile('all', { batch: [1, 2, 4] })], /^Error: decoder: the profile all has no sizes for rows$/)
    refused(
      [profile('all', { batch: [1, 8, 4], rows: [1, 1, 1] })],
      /^Error: decoder: the profile all has batch from 1 over 8 to 4$/,
    )
  })
})
