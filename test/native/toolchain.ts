/**
 * Compiles the addon and the stand-in for TensorRT and CUDA (sdk/) that it is driven with into dist-test/native/build/,
 * as far as their sources have changed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'

export interface NativeBuild {
  /** The addon, ready for `require`. */
  readonly addon: string
  /** The folder of libnvinfer, libnvonnxparser and libcudart. */
  readonly sdk: string
}

const compiler = process.env.CXX ?? 'g++'
const sanitizers = 'address,undefined'
const source = join(root, 'test', 'native', 'sdk')
const include = join(source, 'include')

/** Whether there is a C++ compiler. Tests that need one are skipped without it (and REQUIRE_ALL=1 forbids that). */
export const hasCompiler = spawnSync(compiler, ['--version']).status === 0

/** A topic of mocha that needs the compiled addon. */
export function describeNative(topic: string, tests: () => void): void {
  describe(`native: ${topic}`, function () {
    this.timeout(300_000)
    before(async function () {
      if (!hasCompiler) this.skip()
      await currentBuild()
    })
    tests()
  })
}

let building: Promise<NativeBuild> | undefined

/**
 * The build that this process is to use: the one in NATIVE_BUILD, or else one without sanitizers, which processes that
 * this one starts find made.
 * @throws Error with the compiler's words
 */
export function currentBuild(): Promise<NativeBuild> {
  const made = process.env.NATIVE_BUILD
  if (made) return Promise.resolve(buildIn(made))
  building ??= buildNative(false).then((folder) => {
    process.env.NATIVE_BUILD = folder
    return buildIn(folder)
  })
  return building
}

const buildIn = (folder: string): NativeBuild => ({
  addon: join(folder, 'tensorrt.node'),
  sdk: join(folder, 'sdk'),
})

/** Compiles into the folder that is returned. */
export async function buildNative(sanitized: boolean): Promise<string> {
  const folder = join(root, 'dist-test', 'native', 'build', sanitized ? 'sanitized' : 'plain')
  const checks = sanitized ? ['--sanitize', sanitizers] : []
  const script = join(root, 'scripts', 'build-native.js')
  // Without libraries or tools of NVIDIA: the addon is compiled as on any machine, with these headers.
  await run(process.execPath, [script, '--strict', '--out', folder, ...checks], {
    ...process.env,
    CXX: compiler,
    TENSORRT_INCLUDE: include,
    CUDA_INCLUDE: include,
  })
  await buildSdk(join(folder, 'sdk'), sanitized)
  return folder
}

/** `libcudart` is a door: what is behind it serves `libnvinfer` too, which is not linked to the real one either. */
async function buildSdk(folder: string, sanitized: boolean): Promise<void> {
  const checks = [`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-g']
  const flags = ['-std=c++17', '-O1', '-fPIC', '-shared', '-pthread', '-Wall', '-Wextra', '-Werror']
  const shared = [
    ...flags,
    ...(sanitized ? checks : []),
    `-I${include}`,
    '-Wl,-rpath,$ORIGIN',
    '-Wl,--no-as-needed',
  ]
  const stamp = join(folder, 'made-from')
  const key = digest(shared)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const sources = (name: string) =>
    readdirSync(join(source, 'src', name))
      .filter((file) => file.endsWith('.cc'))
      .map((file) => join(source, 'src', name, file))
  const link = (library: string, files: string[], needs: string[]) =>
    run(compiler, [
      ...[...shared, `-Wl,-soname,${library}`, ...files],
      ...needs.map((need) => join(folder, need)),
      ...['-ldl', '-o', join(folder, library)],
    ])
  await link('libfakegpu.so', sources('cuda'), [])
  await link('libnvinfer.so.11', sources('trt'), ['libfakegpu.so'])
  await link('libnvonnxparser.so.11', sources('parser'), ['libnvinfer.so.11', 'libfakegpu.so'])
  await link('libcudart.so.13', [], ['libfakegpu.so'])
  writeFileSync(stamp, key)
}

function digest(flags: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([flags, compiler]))
  for (const name of (readdirSync(source, { recursive: true }) as string[]).sort())
    if (/\.(cc|h)$/.test(name)) hash.update(name).update(readFileSync(join(source, name)))
  return hash.digest('hex')
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const output of [child.stdout, child.stderr])
      output.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} failed:\n${said}`))))
  })
}
