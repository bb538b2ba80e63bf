/** native/ to tensorrt.node with a C++17 compiler and nothing else: no node-gyp, nothing from Node's site. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { Failure, run } from '../setup/child.js'
import { fingerprint, readText } from '../setup/files.js'
import { findHeaders } from './headers.js'

/** Node's own half of the addon's interface, as headers from npm. */
const packages = ['node_modules/node-addon-api', 'node_modules/node-api-headers/include']

/**
 * Whether native/build/tensorrt.node was made of what is there now.
 * @param {string} root of the repository
 * @throws {Failure} if headers are missing: then it cannot be built either
 */
export function nativeIsFresh(root, environment = process.env) {
  const plan = planBuild(root, { environment })
  return existsSync(plan.addon) && readText(plan.stamp) === plan.key
}

/**
 * Builds the addon; compiles only what changed.
 * @param {string} root of the repository
 * @param {object} [options]
 * @param {Record<string, string | undefined>} [options.environment] CXX, TENSORRT_INCLUDE, CUDA_INCLUDE
 * @param {string} [options.out] the folder for tensorrt.node; native/build if absent
 * @param {string} [options.sanitize] names of the compiler's sanitizers, as `address,undefined`
 * @param {boolean} [options.strict] whether a warning is an error
 * @returns {Promise<{ addon: string, tensorrtVersion: string, cudaVersion: string, compiled: number }>}
 * @throws {Failure} one sentence for what is missing, or after the compiler's findings
 */
export async function buildNative(root, options = {}) {
  const plan = planBuild(root, options)
  const { addon, stamp, key, headers } = plan
  const result = { addon, tensorrtVersion: headers.tensorrtVersion, cudaVersion: headers.cudaVersion }
  if (existsSync(addon) && readText(stamp) === key) return { ...result, compiled: 0 }
  checkCompiler(plan.compiler)
  mkdirSync(plan.out, { recursive: true })
  rmSync(stamp, { force: true })
  const stale = plan.objects.filter(
    (object) => !existsSync(object.path) || readText(object.stamp) !== object.key,
  )
  await inParallel(stale, (object) => compile(root, plan, object))
  await link(root, plan)
  writeFileSync(stamp, key)
  return { ...result, compiled: stale.length }
}

/** Everything that decides the outcome. Keys are texts that change when something does. */
function planBuild(
  root,
  { environment = process.env, out = join(root, 'native', 'build'), sanitize, strict },
) {
  if (process.platform !== 'linux') {
    throw new Failure(
      `the TensorRT addon is for Linux, and this is ${process.platform}: use RUNTIME=onnxruntime`,
    )
  }
  const absent = packages.find((path) => !existsSync(join(root, path)))
  if (absent) throw new Failure(`${absent} is not installed: run npm ci --include=dev`)
  const headers = findHeaders(environment)
  const compiler = (environment.CXX || 'c++').split(' ')
  const checks = sanitize
    ? ['-O1', '-g', '-fno-omit-frame-pointer', `-fsanitize=${sanitize}`, '-fno-sanitize-recover=all']
    : ['-O2']
  const flags = ['-std=c++17', '-fPIC', '-fvisibility=hidden', '-pthread', ...checks]
  const system = [
    ...packages.map((path) => join(root, path)),
    resolve(headers.tensorrt),
    resolve(headers.cuda),
  ]
  const compileFlags = [
    ...flags,
    '-Wall',
    '-Wextra',
    '-Wpedantic',
    ...(strict ? ['-Werror'] : []),
    '-DNAPI_VERSION=8',
    '-DNODE_ADDON_API_CPP_EXCEPTIONS',
    // while a worker is being ended, no exception can be thrown into it any more
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    // not -I: their warnings are not ours
    ...system.flatMap((folder) => ['-isystem', folder]),
  ]
  const files = readdirSync(join(root, 'native', 'src')).sort()
  const shared = {
    compiler,
    compileFlags,
    versions: [headers.tensorrtVersion, headers.cudaVersion],
    files: fingerprint(root, [
      ...files.filter((file) => file.endsWith('.h')).map((file) => `native/src/${file}`),
      'node_modules/node-addon-api/package.json',
      'node_modules/node-api-headers/package.json',
    ]),
    sdk: fingerprint(
      '/',
      ['NvInfer.h', 'NvInferRuntime.h', 'NvInferVersion.h', 'NvOnnxParser.h']
        .map((file) => resolve(headers.tensorrt, file))
        .concat(resolve(headers.cuda, 'cuda_runtime_api.h')),
    ),
  }
  const objects = files
    .filter((file) => file.endsWith('.cc'))
    .map((file) => {
      const path = join(out, file.replace(/\.cc$/, '.o'))
      const source = `native/src/${file}`
      return {
        source,
        path,
        stamp: `${path}.json`,
        key: JSON.stringify({ ...shared, source: fingerprint(root, [source]) }),
      }
    })
  return {
    compiler,
    compileFlags,
    // nodelete: a worker's end would unload an addon that only it uses, but TensorRT keeps our logger for good
    linkFlags: ['-shared', ...flags, '-Wl,-z,nodelete', '-ldl'],
    headers,
    objects,
    out,
    addon: join(out, 'tensorrt.node'),
    stamp: join(out, 'tensorrt.json'),
    key: JSON.stringify(objects.map((object) => object.key)),
  }
}

function checkCompiler([command, ...args]) {
  const input = '#include <optional>\nint main() { return std::optional<int>(0).value(); }\n'
  const tried = spawnSync(command, [...args, '-std=c++17', '-x', 'c++', '-fsyntax-only', '-'], { input })
  if (tried.status === 0) return
  throw new Failure(
    tried.error?.code === 'ENOENT'
      ? `the C++ compiler ${command} was not found: install one with apt install g++, or set CXX to yours`
      : `${command} does not compile C++17: install a newer one with apt install g++ (9 or later), or set CXX to yours`,
  )
}

async function compile(root, { compiler: [command, ...args], compileFlags }, object) {
  rmSync(object.stamp, { force: true })
  await run(command, [...args, ...compileFlags, '-c', object.source, '-o', object.path], {
    cwd: root,
    fault: `${object.source} does not compile with these headers: the findings are above`,
  })
  writeFileSync(object.stamp, object.key)
}

/** To another name first: a process may have the present addon mapped. */
async function link(root, { compiler: [command, ...args], linkFlags, objects, addon }) {
  const unfinished = `${addon}.part`
  await run(command, [...args, ...objects.map((object) => object.path), ...linkFlags, '-o', unfinished], {
    cwd: root,
    fault: 'the addon cannot be linked: the findings are above',
  })
  renameSync(unfinished, addon)
}

/** As many at a time as there are processors; the first failure is thrown when all that started have ended. */
async function inParallel(items, work) {
  const waiting = [...items]
  const failures = []
  const worker = async () => {
    while (waiting.length > 0 && failures.length === 0) {
      await work(waiting.shift()).catch((error) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  if (failures.length > 0) throw failures[0]
}
