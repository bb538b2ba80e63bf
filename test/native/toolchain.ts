/**
 * Compiles the addon and the stand-in for TensorRT and CUDA (sdk/) that it is driven with, once for each state of
 * their sources, into dist-test/native/build/.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../root.js'

export interface NativeBuild {
  /** The addon, ready for `require`. */
  readonly addon: string
  /** The folder of libnvinfer, libnvonnxparser and libcudart. */
  readonly sdk: string
}

const compiler = process.env.CXX ?? 'g++'
const sanitizers = [
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  '-g1',
]
const sdkSource = join(root, 'test', 'native', 'sdk')
const addonSource = join(root, 'native', 'src')
const include = (folder: string): string => `-I${folder}`

/** Whether there is a C++ compiler. Tests that need one are skipped without it (and REQUIRE_ALL=1 forbids that). */
export const hasCompiler = spawnSync(compiler, ['--version']).status === 0

/** A topic of mocha that needs the compiled addon. */
export function describeNative(topic: string, tests: (this: Mocha.Suite) => void): void {
  describe(`native: ${topic}`, function () {
    this.timeout(240_000)
    before(function () {
      if (!hasCompiler) this.skip()
    })
    tests.call(this)
  })
}

/** The addon and the stand-in, compiled if their sources have changed. @throws Error with the compiler's words */
export async function buildNative(sanitized: boolean): Promise<NativeBuild> {
  const shared = ['-std=c++17', '-O1', '-fPIC', '-pthread', '-Wall', '-Wextra', '-Werror']
  const flags = [...shared, ...(sanitized ? sanitizers : []), include(join(sdkSource, 'include'))]
  const builds = join(root, 'dist-test', 'native', 'build')
  const made = join(builds, digest(flags))
  const build = { addon: join(made, 'tensorrt.node'), sdk: made }
  if (existsSync(made)) return build
  mkdirSync(builds, { recursive: true })
  const making = mkdtempSync(`${made}.making-`)
  try {
    await compile(making, flags)
    renameSync(making, made)
  } catch (error) {
    rmSync(making, { recursive: true })
    // Another process was faster.
    if (!existsSync(made)) throw error
  }
  return build
}

function digest(flags: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([flags, compiler, process.version]))
  for (const folder of [sdkSource, addonSource])
    for (const name of (readdirSync(folder, { recursive: true }) as string[]).sort())
      if (/\.(cc|h)$/.test(name)) hash.update(name).update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 16)
}

async function compile(folder: string, flags: string[]): Promise<void> {
  const addonFlags = [
    ...[
      join(root, 'node_modules', 'node-api-headers', 'include'),
      join(root, 'node_modules', 'node-addon-api'),
    ],
  ].map(include)
  const inFolder = (from: string) =>
    readdirSync(from)
      .filter((name) => name.endsWith('.cc'))
      .map((name) => join(from, name))
  const [cuda, trt] = [inFolder(join(sdkSource, 'src', 'cuda')), inFolder(join(sdkSource, 'src', 'trt'))]
  const parser = trt.filter((file) => file.endsWith('/parser.cc'))
  const addon = inFolder(addonSource)
  const object = (file: string): string => join(folder, `${file.slice(root.length).replaceAll('/', '-')}.o`)
  const napi = ['-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS', '-fvisibility=hidden', ...addonFlags]
  const tasks = [...addon, ...cuda, ...trt].map(
    (file) => () => run([...flags, ...(addon.includes(file) ? napi : []), '-c', file, '-o', object(file)]),
  )
  await Promise.all(Array.from({ length: availableParallelism() }, () => inTurn(tasks)))
  const link = (name: string, files: string[], libraries: string[]) =>
    run([
      ...flags,
      '-shared',
      `-Wl,-soname,${name},-rpath,$ORIGIN`,
      ...files.map(object),
      ...libraries.map((library) => join(folder, library)),
      ...['-ldl', '-o', join(folder, name)],
    ])
  await link('libcudart.so.13', cuda, [])
  await link(
    'libnvinfer.so.11',
    trt.filter((file) => !parser.includes(file)),
    ['libcudart.so.13'],
  )
  await link('libnvonnxparser.so.11', parser, ['libnvinfer.so.11', 'libcudart.so.13'])
  await link('tensorrt.node', addon, [])
  for (const file of [...addon, ...cuda, ...trt]) rmSync(object(file))
}

async function inTurn(tasks: (() => Promise<void>)[]): Promise<void> {
  for (let task = tasks.shift(); task; task = tasks.shift()) await task()
}

function run(args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { cwd: dirname(addonSource), stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${compiler} failed:\n${said}`))))
  })
}
