import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildEvent, type BuildReport, buildEngines } from '#src/build.js'
import { SetupError } from '#src/errors.js'
import { filesIn, listEngines, readManifest } from '#src/runtime/store.js'
import { cpu } from './build/settings.js'
import { checkpoint, root } from './root.js'

const model = 'whisper-base'
const weights = 'model.safetensors'

describe('build', () => {
  let folder: string
  let checkpoints: string
  let engines: string
  let source: string
  let engine: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'build-'))
    checkpoints = join(folder, 'checkpoints')
    engines = join(folder, 'engines')
    source = join(checkpoints, model)
    engine = join(engines, 'onnxruntime', model)
    cpSync(checkpoint(model), source, { recursive: true })
  })
  after(() => rmSync(folder, { recursive: true }))

  const build = (events: BuildEvent[] = []): Promise<BuildReport[]> =>
    buildEngines({ checkpoints, engines, ...cpu, onProgress: (event) => events.push(event) })
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof SetupError && message.test(error.message) && !error.message.includes('\n')
  const inodes = () =>
    Object.fromEntries(readdirSync(engine).map((name) => [name, statSync(join(engine, name)).ino]))

  it('leaves nothing when it is killed half-way', async () => {
    const script = join(root, 'scripts', 'build-engines.js')
    const args = [script, '--checkpoints', checkpoints, '--engines', engines, '--runtime', 'onnxruntime']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    for await (const text of child.stderr.setEncoding('utf8')) {
      said += text
      if (said.includes(`${model} convert`)) child.kill('SIGKILL')
    }
    if (child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL', said)
    assert.equal(existsSync(engine), false)
    assert.equal(readdirSync(join(engines, 'onnxruntime')).length, 1, 'only what the next build clears away')
  })

  it('builds an engine that says what it was made from', async () => {
    const events: BuildEvent[] = []
    const [report] = await build(events)
    assert.deepEqual([report?.model, report?.status], [model, 'built'])
    assert.deepEqual(readdirSync(join(engines, 'onnxruntime')), [model], 'what the killed build left is gone')
    const manifest = readManifest(engine)
    assert.equal(manifest.parameters, 72_593_920)
    assert.deepEqual(
      Object.keys(manifest.sources).sort(),
      readdirSync(source)
        .filter((name) => name !== 'LICENSE')
        .sort(),
    )
    assert.match(manifest.sources[weights]!.sha256, /^5e702c2e/)
    assert.deepEqual(
      Object.keys(manifest.files).sort(),
      readdirSync(engine, { recursive: true })
        .filter((name) => name !== 'manifest.json')
        .sort(),
    )
    for (const [name, { size }] of Object.entries(manifest.files))
      assert.equal(statSync(join(engine, name)).size, size)
    const bytes = Object.values(manifest.files).reduce((sum, { size }) => sum + size, 0)
    assert.equal(report?.bytes, bytes)
    for (const step of ['verify', 'convert', 'record'] as const) {
      const ofStep = events.filter((event) => event.step === step)
      assert.equal(ofStep.at(-1)?.done, ofStep.at(-1)?.total, `${step} reaches its end`)
    }
    assert.equal(events.at(-1)?.step, 'done')
  })

  it('takes away what killed builds left, and nothing that a living process is at work on', async () => {
    const beside = join(engines, 'onnxruntime')
    const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    await once(dead, 'exit')
    const living = [`.${model}.building-${process.ppid}`, `.${model}.building-1`]
    const left = [`.${model}.building-${dead.pid}`, `.${model}.replaced-${dead.pid}`]
    const others = [`.other.building-${dead.pid}`]
    for (const name of [...living, ...left, ...others]) mkdirSync(join(beside, name))
    rmSync(join(engine, 'manifest.json'))
    assert.equal((await build())[0]?.status, 'built')
    assert.deepEqual(readdirSync(beside).sort(), [...living, ...others, model].sort())
    for (const name of [...living, ...others]) rmSync(join(beside, name), { recursive: true })
  })

  it('leaves an engine alone that is up to date, at once', async () => {
    const before = inodes()
    const begun = performance.now()
    const events: BuildEvent[] = []
    const [report] = await build(events)
    assert.ok(performance.now() - begun < 200, `${performance.now() - begun} ms`)
    assert.equal(report?.status, 'up-to-date')
    assert.deepEqual(
      events.map(({ step }) => step),
      ['up-to-date'],
    )
    assert.deepEqual(inodes(), before)
  })

  it('does not build again for a new time of an unchanged file', async () => {
    utimesSync(join(source, weights), new Date(), new Date(Date.now() - 1e6))
    const before = inodes()
    assert.equal((await build())[0]?.status, 'up-to-date')
    assert.equal(inodes()['encoder.onnx'], before['encoder.onnx'])
  })

  it('refuses a checkpoint with a flipped byte, and names the file', async () => {
    const path = join(source, weights)
    const bytes = readFileSync(path)
    bytes[40_000_000]! ^= 1
    writeFileSync(path, bytes)
    const before = inodes()
    await assert.rejects(
      build(),
      refused(new RegExp(`^${path} has SHA-256 .* where 5e702c2e1487… is recorded`)),
    )
    assert.deepEqual(inodes(), before, 'the engine of before is untouched')
    assert.deepEqual(readdirSync(join(engines, 'onnxruntime')), [model])
    bytes[40_000_000]! ^= 1
    writeFileSync(path, bytes)
    assert.equal((await build())[0]?.status, 'up-to-date')
  })

  it('builds again when an input without a recorded digest changes, or a file of the engine', async () => {
    const path = join(source, 'generation_config.json')
    writeFileSync(path, `${readFileSync(path, 'utf8')}\n`)
    assert.equal((await build())[0]?.status, 'built')
    const graph = join(engine, 'encoder.onnx')
    const bytes = readFileSync(graph)
    writeFileSync(graph, bytes.subarray(0, 100))
    assert.equal((await build())[0]?.status, 'built')
    assert.deepEqual(readFileSync(graph), bytes)
  })

  it('holds the other files to the digests that are recorded beside the folder', async () => {
    const sums = join(checkpoints, 'SHA256SUMS')
    copyFileSync(join(root, 'checkpoints', 'SHA256SUMS'), sums)
    rmSync(join(engine, 'manifest.json'))
    await assert.rejects(build(), refused(/generation_config\.json has SHA-256/))
    copyFileSync(join(checkpoint(model), 'generation_config.json'), join(source, 'generation_config.json'))
    rmSync(join(source, 'tokenizer.json'))
    await assert.rejects(build(), refused(/tokenizer\.json is missing/))
  })

  it('builds from links, as a cache of Hugging Face has them, an engine that stands alone', async () => {
    const linked = join(folder, 'linked')
    const snapshot = join(folder, 'snapshot')
    mkdirSync(linked)
    mkdirSync(snapshot)
    for (const name of readdirSync(checkpoint('kokoro-82m')))
      symlinkSync(join(checkpoint('kokoro-82m'), name), join(snapshot, name))
    symlinkSync(snapshot, join(linked, 'kokoro'))
    mkdirSync(join(linked, '.cache'))
    writeFileSync(join(linked, '.cache', 'config.json'), '{}')
    const options = { checkpoints: linked, engines: join(folder, 'apart'), ...cpu }
    const statuses = async () => (await buildEngines(options)).map(({ model, status }) => [model, status])
    assert.deepEqual(await statuses(), [['kokoro', 'built']])
    assert.deepEqual(listEngines(join(options.engines, 'onnxruntime')), ['kokoro'])
    const made = join(options.engines, 'onnxruntime', 'kokoro')
    for (const name of readdirSync(made, { recursive: true }) as string[])
      assert.ok(!lstatSync(join(made, name)).isSymbolicLink(), name)
    for (const part of ['voices', 'lexicon']) {
      assert.ok(filesIn(join(made, part)).length > 0, part)
      assert.deepEqual(filesIn(join(made, part)), filesIn(join(checkpoint('kokoro-82m'), part)))
    }
    const sources = Object.keys(readManifest(made).sources)
    assert.ok(sources.includes('kokoro-v1_0.safetensors') && sources.some((name) => /^voices\/./.test(name)))
    writeFileSync(join(snapshot, '.DS_Store'), 'noise')
    assert.deepEqual(await statuses(), [['kokoro', 'up-to-date']])
  })

  it('names an asset that is missing', async () => {
    const incomplete = join(folder, 'incomplete')
    cpSync(checkpoint('whisper-base'), join(incomplete, 'whisper'), { recursive: true })
    rmSync(join(incomplete, 'whisper', 'tokenizer_config.json'))
    const building = buildEngines({ checkpoints: incomplete, engines, ...cpu })
    await assert.rejects(building, refused(/tokenizer_config\.json is missing/))
  })

  for (const [what, config, message] of [
    ['a model of no known family', '{ "model_type": "bert" }', /"bert".*whisper, llama, kokoro/],
    ['a config without a type', '{}', /null.*whisper, llama, kokoro/],
    ['a config that is no JSON', '{ "model_type": ', /config\.json is not JSON/],
    ['a config that is no object', 'null', /config\.json/],
  ] as const)
    it(`refuses ${what}, by name`, async () => {
      const other = join(folder, 'others')
      mkdirSync(join(other, 'some-model'), { recursive: true })
      writeFileSync(join(other, 'some-model', 'config.json'), config)
      const building = buildEngines({ checkpoints: other, engines, ...cpu })
      await assert.rejects(building, refused(message))
    })

  it('refuses folders and models that are not there, saying what is', async () => {
    const options = { checkpoints, engines, ...cpu }
    await assert.rejects(
      buildEngines({ ...options, checkpoints: join(folder, 'nowhere') }),
      refused(/^There is no checkpoint folder .*nowhere: set CHECKPOINTS/),
    )
    await assert.rejects(
      buildEngines({ ...options, models: ['whisper-huge'] }),
      refused(/^There is no checkpoint whisper-huge .*\(found: whisper-base\)/),
    )
  })
})
