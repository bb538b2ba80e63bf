import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SetupError } from '#src/errors.js'
import type { DeviceIdentity, FileRecord, Identity, Manifest } from '#src/runtime/manifest.js'
import {
  compareFile,
  filesIn,
  freshness,
  listEngines,
  needsBuild,
  readManifest,
  recordFile,
  sourceFiles,
  writeManifest,
} from '#src/runtime/store.js'

const identity: Identity = { builder: 'a1b2c3', options: { precision: 'int8' } }

describe('runtime/store', () => {
  let folder: string
  let engine: string
  let source: string

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'store-'))
    engine = join(folder, 'engines', 'model')
    source = join(folder, 'checkpoints', 'model')
    for (const [path, content] of [
      [join(source, 'config.json'), '{}'],
      [join(source, 'weights.bin'), 'weights'],
      [join(source, 'README.md'), 'card'],
      [join(source, 'LICENSE'), 'free'],
      [join(engine, 'graph.onnx'), 'graph'],
      [join(engine, 'voices', 'a.bin'), 'voice'],
    ] as const) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
    const records = async (place: string, names: string[]): Promise<Record<string, FileRecord>> =>
      Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await recordFile(join(place, name))])),
      )
    writeManifest(engine, {
      model: 'model',
      family: 'kokoro',
      runtime: 'onnxruntime',
      ...identity,
      parameters: 7,
      sources: await records(source, sourceFiles(source)),
      files: await records(engine, filesIn(engine)),
      graphs: {},
    })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const manifestText = () => readFileSync(join(engine, 'manifest.json'), 'utf8')
  const touch = (path: string) => utimesSync(path, new Date(), new Date(Date.now() + 5000))
  async function stale(reason: RegExp, wanted: Identity = identity): Promise<void> {
    const result = await freshness(engine, source, wanted)
    assert.ok(!result.fresh, 'the engine counts as fresh')
    assert.match(result.reason, reason)
  }

  it('finds an unchanged engine fresh, and writes nothing', async () => {
    const before = manifestText()
    const result = await freshness(engine, source, identity)
    assert.ok(result.fresh)
    assert.deepEqual(result.manifest, JSON.parse(before) as Manifest)
    assert.equal(manifestText(), before)
  })

  it('reads a touched file once, and notes its new time', async () => {
    for (const path of [join(source, 'weights.bin'), join(engine, 'graph.onnx')]) {
      touch(path)
      const before = manifestText()
      assert.ok((await freshness(engine, source, identity)).fresh)
      const after = manifestText()
      assert.notEqual(after, before)
      assert.ok((await freshness(engine, source, identity)).fresh)
      assert.equal(manifestText(), after)
    }
  })

  it('finds it fresh where nothing can be written, too', async () => {
    const { writeFileSync: written } = fs
    const readOnly = (code: string) => () => {
      throw Object.assign(new Error(code), { code })
    }
    try {
      for (const code of ['EROFS', 'EACCES', 'EIO']) {
        touch(join(engine, 'graph.onnx'))
        const before = manifestText()
        Object.assign(fs, { writeFileSync: readOnly(code) })
        syncBuiltinESMExports()
        const found = freshness(engine, source, identity)
        if (code === 'EIO') await assert.rejects(found, /EIO/)
        else assert.ok((await found).fresh)
        assert.equal(manifestText(), before)
      }
    } finally {
      Object.assign(fs, { writeFileSync: written })
      syncBuiltinESMExports()
    }
  })

  it('names the file that has another byte', async () => {
    for (const path of [join(source, 'weights.bin'), join(engine, 'voices', 'a.bin')]) {
      const good = readFileSync(path)
      const bad = Buffer.from(good)
      bad[2]! ^= 1
      writeFileSync(path, bad)
      touch(path)
      await stale(new RegExp(`^${path} has another SHA-256`))
      writeFileSync(path, 'longer than before')
      await stale(new RegExp(`^${path} has 18 bytes instead of`))
      rmSync(path)
      await stale(path.startsWith(engine) ? new RegExp(`^${path} is missing`) : /has other files than/)
      writeFileSync(path, good)
      assert.ok((await freshness(engine, source, identity)).fresh)
    }
  })

  it('wants no file more among the sources, licences aside', async () => {
    writeFileSync(join(source, 'NOTICE'), 'by somebody')
    assert.ok((await freshness(engine, source, identity)).fresh)
    writeFileSync(join(source, 'tokenizer.json'), '{}')
    await stale(/has other files than its engine was built from/)
  })

  it('tells another builder and other options', async () => {
    await stale(/another version of this program/, { ...identity, builder: 'd4' })
    await stale(/other options \(precision int8 instead of float32\)/, {
      ...identity,
      options: { precision: 'float32' },
    })
    await stale(/other options \(slots unset instead of 8\)/, {
      ...identity,
      options: { precision: 'int8', slots: 8 },
    })
  })

  it('tells an engine of another machine: library, driver or GPU', async () => {
    const device: DeviceIdentity = {
      tensorrt: '11.1.0.106',
      cuda: '13.3',
      sm: 89,
      name: 'L4',
      driver: '13.3',
    }
    await stale(/for a machine without TensorRT, and this is TensorRT 11\.1\.0\.106 /, {
      ...identity,
      device,
    })
    writeManifest(engine, { ...readManifest(engine), runtime: 'tensorrt', device })
    assert.ok((await freshness(engine, source, { ...identity, device })).fresh)
    const here = 'TensorRT 11.1.0.106 with CUDA 13.3 on L4 (SM 89, driver of CUDA 13.3)'
    for (const [changed, there] of [
      [{ tensorrt: '11.2.1.2' }, 'TensorRT 11.2.1.2 with CUDA 13.3 on L4 (SM 89, driver of CUDA 13.3)'],
      [{ cuda: '13.4' }, 'TensorRT 11.1.0.106 with CUDA 13.4 on L4 (SM 89, driver of CUDA 13.3)'],
      [{ sm: 90 }, 'TensorRT 11.1.0.106 with CUDA 13.3 on L4 (SM 90, driver of CUDA 13.3)'],
      [{ name: 'L40' }, 'TensorRT 11.1.0.106 with CUDA 13.3 on L40 (SM 89, driver of CUDA 13.3)'],
      [{ driver: '13.4' }, 'TensorRT 11.1.0.106 with CUDA 13.3 on L4 (SM 89, driver of CUDA 13.4)'],
    ] as const) {
      const result = await freshness(engine, source, { ...identity, device: { ...device, ...changed } })
      const reason = `The engine in ${engine} was built for ${here}, and this is ${there}`
      assert.deepEqual(result, { fresh: false, reason })
    }
  })

  it('names the command that builds, for either runtime', () => {
    assert.match(needsBuild('It is old').message, /^It is old: run `npm run build-engines` \([^)]*\)\.$/)
    assert.match(
      needsBuild('It is old', 'tensorrt').message,
      /^It is old: run `npm run build-engines -- --runtime tensorrt` \(.*RUNTIME=tensorrt.*\)\.$/,
    )
  })

  it('serves an engine that travels without its checkpoint', async () => {
    rmSync(source, { recursive: true })
    assert.ok((await freshness(engine, source, identity)).fresh)
  })

  it('tells that there is no engine, or none that was finished', async () => {
    rmSync(join(engine, 'manifest.json'))
    await stale(/^There is no engine in/)
    assert.deepEqual(listEngines(dirname(engine)), [])
    assert.throws(
      () => readManifest(engine),
      /^SetupError: There is no engine in .*: run `npm run build-engines`/,
    )
    assert.deepEqual(listEngines(join(folder, 'nowhere')), [])
  })

  it('refuses a manifest that is none, with its path and what to do', async () => {
    for (const text of ['', '{"model":', '[]', 'null', '{}']) {
      writeFileSync(join(engine, 'manifest.json'), text)
      assert.throws(
        () => readManifest(engine),
        (error: unknown) =>
          error instanceof SetupError &&
          error.message.startsWith(join(engine, 'manifest.json')) &&
          error.message.includes('npm run build-engines'),
        text,
      )
      await stale(/manifest\.json is no manifest/)
    }
  })

  it('lists finished engines by name', () => {
    for (const name of ['zebra', 'apple']) {
      mkdirSync(join(folder, 'engines', name))
      writeManifest(join(folder, 'engines', name), readManifest(engine))
    }
    for (const name of ['.model.building-1', '.model.replaced-1']) {
      mkdirSync(join(folder, 'engines', name))
      writeManifest(join(folder, 'engines', name), readManifest(engine))
    }
    assert.deepEqual(listEngines(join(folder, 'engines')), ['apple', 'model', 'zebra'])
  })

  it('sees through links to files and folders, and not what leads nowhere or round', () => {
    const blobs = join(folder, 'blobs')
    const snapshot = join(folder, 'snapshot')
    mkdirSync(join(blobs, 'voices', 'deep'), { recursive: true })
    mkdirSync(snapshot)
    writeFileSync(join(blobs, 'a1'), '{}')
    writeFileSync(join(blobs, 'voices', 'b2'), 'voice')
    writeFileSync(join(blobs, 'voices', 'deep', 'c3'), 'voice')
    for (const [target, path] of [
      ['../blobs/a1', 'config.json'],
      ['../blobs/voices', 'voices'],
      ['../blobs/voices', 'again'],
      ['../blobs/gone', 'dangling'],
      ['itself', 'itself'],
      ['.', 'round'],
      ['../..', '../blobs/voices/deep/up'],
    ] as const)
      symlinkSync(target, join(snapshot, path))
    const voices = (name: string) => [`${name}/b2`, `${name}/deep/c3`]
    assert.deepEqual(
      filesIn(snapshot).filter((name) => !name.includes('/up/')),
      [...voices('again'), 'config.json', ...voices('voices')],
    )
    const linked = join(folder, 'linked')
    symlinkSync(snapshot, linked)
    assert.deepEqual(filesIn(linked), filesIn(snapshot))
  })

  it('passes over names that begin with a dot', async () => {
    for (const [place, name] of [
      [source, '.DS_Store'],
      [source, '.cache/huggingface/config.json.lock'],
      [engine, 'voices/._a.bin'],
    ] as const) {
      mkdirSync(dirname(join(place, name)), { recursive: true })
      writeFileSync(join(place, name), 'noise')
    }
    assert.deepEqual(filesIn(source), ['LICENSE', 'README.md', 'config.json', 'weights.bin'])
    assert.ok((await freshness(engine, source, identity)).fresh)
    assert.deepEqual(filesIn(engine), ['graph.onnx', 'manifest.json', 'voices/a.bin'])
  })

  it('tells a changed file behind a link', async () => {
    const path = join(source, 'weights.bin')
    const blob = join(folder, 'blob')
    renameSync(path, blob)
    symlinkSync(blob, path)
    assert.ok((await freshness(engine, source, identity)).fresh)
    writeFileSync(blob, 'other weights')
    await stale(/weights\.bin has 13 bytes instead of 7/)
  })

  it('writes a manifest whole or not at all', () => {
    const manifest = readManifest(engine)
    const before = manifestText()
    // A folder in the place of the temporary file stands for a process killed before the rename.
    mkdirSync(join(engine, 'manifest.json.new'))
    assert.throws(() => writeManifest(engine, { ...manifest, parameters: 8 }))
    assert.equal(manifestText(), before)
    rmSync(join(engine, 'manifest.json.new'), { recursive: true })
    writeManifest(engine, { ...manifest, parameters: 8 })
    assert.equal(readManifest(engine).parameters, 8)
    assert.ok(!existsSync(join(engine, 'manifest.json.new')))
  })

  it('records size, time and SHA-256, and compares by them', async () => {
    const path = join(source, 'weights.bin')
    const seen: number[] = []
    const record = await recordFile(path, (bytes) => seen.push(bytes))
    assert.equal(record.sha256, createHash('sha256').update('weights').digest('hex'))
    assert.deepEqual([record.size, seen], [7, [7]])
    assert.equal(await compareFile(path, record), 'same')
    touch(path)
    assert.equal(await compareFile(path, record), 'touched')
    renameSync(path, `${path}.old`)
    assert.equal(await compareFile(path, record), 'is missing')
    assert.deepEqual(readdirSync(source).sort(), filesIn(source))
  })
})
