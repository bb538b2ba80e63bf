import assert from 'node:assert/strict'
import { familyOf, planEngine } from '#src/build/families.js'
import { optimizationProfiles } from '#src/build/profiles.js'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { engineOptions } from '#src/runtime/identity.js'
import { type Family, precisions } from '#src/runtime/manifest.js'
import { checkpoint } from '../root.js'

describe('build/families', () => {
  const embedded: readonly (readonly [Family, string])[] = [
    ['whisper', 'whisper-base'],
    ['llama', 'smollm2-135m-instruct'],
    ['kokoro', 'kokoro-82m'],
  ]

  for (const [family, name] of embedded)
    for (const runtime of ['onnxruntime', 'tensorrt'] as const)
      it(`plans ${name} for ${runtime} in every precision, with sizes for all that is open`, () => {
        const folder = checkpoint(name)
        assert.equal(familyOf(folder), family)
        for (const precision of precisions[runtime]) {
          const settings = { runtime, precision, slots: 3, stateBytes: 2 ** 28, device: 0, libraries: null }
          using weights = openCheckpoint(folder)
          const options = engineOptions(family, settings)
          const { graphs } = planEngine(family, folder, weights, runtime, options)
          for (const planned of graphs) {
            const { graph, profiles = [], slots = 0, state } = planned
            assert.equal(graph.target, runtime)
            if (runtime === 'onnxruntime') {
              assert.deepEqual([profiles, slots], [[], 0])
              continue
            }
            if (state || slots > 0) assert.equal(slots, options.slots, `${graph.name} of ${precision}`)
            const made = optimizationProfiles(planned)
            const open = graph.inputs.filter(({ dims }) => dims.some((dim) => typeof dim === 'string'))
            assert.equal(made.length, open.length === 0 ? 0 : profiles.length)
            for (const profile of made)
              assert.deepEqual(
                Object.keys(profile),
                open.map(({ name }) => name),
              )
          }
        }
      })
})
