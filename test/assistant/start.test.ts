/** How the registry starts models, with a worker that only notes when it was at work. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelSettings, Models } from '#src/assistant/registry.js'
import { builderIdentity } from '#src/runtime/builder.js'
import { engineOptions } from '#src/runtime/identity.js'
import type { DeviceIdentity, Family, Runtime } from '#src/runtime/manifest.js'
import type { ThreadSettings } from '#src/runtime/protocol.js'
import { writeManifest } from '#src/runtime/store.js'
import { currentBuild, describeNative } from '../native/toolchain.js'
import { testGpu } from '../runtime/tensorrt/engines.js'
import { House } from '../runtime/tensorrt/house.js'

/**
 * In place of worker.js: on the CPU it is loaded when all three have begun, and for the model that is called broken it
 * fails.
 */
const worker = `
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
const begun = Date.now()
const around = dirname(workerData.folder)
writeFileSync(join(around, '.begun-' + workerData.family), '')
const together = () => readdirSync(around).filter((name) => name.startsWith('.begun')).length === 3
do await new Promise((resolve) => setTimeout(resolve, 5))
while (workerData.runtime === 'onnxruntime' && !together() && Date.now() < begun + 10_000)
if (workerData.runtime === 'onnxruntime' && !together()) {
  parentPort.postMessage({ kind: 'failed', message: 'The others do not begin.', setup: true })
} else if (workerData.folder.endsWith('broken')) {
  parentPort.postMessage({ kind: 'failed', message: 'It is broken.', setup: true })
} else {
  const facts = { begun, ended: Date.now(), settings: workerData }
  const info = { name: 'model', family: workerData.family, parameters: 1, bytes: 1, loadSeconds: 1, facts }
  parentPort.postMessage({ kind: 'ready', info })
  parentPort.once('message', () => parentPort.close())
}
`
const families: readonly Family[] = ['whisper', 'llama', 'kokoro']

interface Facts {
  readonly begun: number
  readonly ended: number
  readonly settings: ThreadSettings
}

describeNative('assistant/registry: startModels', () => {
  let house: House
  let registry: typeof import('#src/assistant/registry.js')
  let device: DeviceIdentity
  let libraries: string

  before(async () => {
    house = new House()
    house.replace('worker.js', worker)
    const build = await currentBuild()
    house.install(build.addon)
    libraries = build.sdk
    device = (await testGpu()).device
    registry = await import(house.url(join('assistant', 'registry.js')).href)
  })
  after(() => house.remove())

  /** Settings for engines of the three families; that of `broken` can not be loaded. */
  function settingsFor(runtime: Runtime, broken?: Family): ModelSettings {
    const engines = mkdtempSync(join(house.folder, 'engines-'))
    const settings: ModelSettings = {
      runtime,
      checkpoints: join(house.folder, 'no-checkpoints'),
      engines,
      choice: { whisper: null, llama: null, kokoro: null },
      threads: 1,
      precision: null,
      slots: 2,
      stateBytes: 2 ** 20,
      device: 0,
      libraries,
    }
    for (const family of families) {
      const folder = join(engines, runtime, family === broken ? 'broken' : family)
      mkdirSync(folder, { recursive: true })
      writeManifest(folder, {
        model: family,
        family,
        runtime,
        builder: builderIdentity(family),
        options: engineOptions(family, settings),
        ...(runtime === 'tensorrt' && { device }),
        parameters: 1,
        sources: {},
        files: {},
        graphs: {},
      })
    }
    return settings
  }
  const factsOf = (models: Models) =>
    registry.modelInfos(models).map(({ facts }) => facts as unknown as Facts)
  const fail = (error: Error) => assert.fail(error)

  it('loads models at once on the CPU', async () => {
    const models = await registry.startModels(settingsFor('onnxruntime'), fail)
    assert.deepEqual(
      factsOf(models).map(({ settings }) => settings.family),
      families,
    )
    await registry.stopModels(models)
  })

  it('loads them one after another on a GPU, each with what it needs to find it', async () => {
    const models = await registry.startModels(settingsFor('tensorrt'), fail)
    const facts = factsOf(models)
    await registry.stopModels(models)
    for (const [index, { settings, begun }] of facts.entries()) {
      assert.deepEqual(
        [settings.family, settings.runtime, settings.device, settings.libraries],
        [families[index], 'tensorrt', 0, libraries],
      )
      if (index > 0) assert.ok(begun >= facts[index - 1]!.ended)
    }
  })

  it('stops at the first that can not be loaded, with its sentence', async () => {
    for (const runtime of ['onnxruntime', 'tensorrt'] as const)
      for (const family of families)
        await assert.rejects(registry.startModels(settingsFor(runtime, family), fail), {
          name: 'SetupError',
          message: 'It is broken.',
        })
  })
})
