/** Finds the SDKs' headers and reads their versions. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../setup/child.js'
import { readText } from '../setup/files.js'

/** TensorRT's major version that native/ is written for. */
const major = 11

const multiarch = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch]

/**
 * Where the headers are and of which versions.
 * @param {Record<string, string | undefined>} environment TENSORRT_INCLUDE and CUDA_INCLUDE name the folders
 * @returns {{ tensorrt: string, tensorrtVersion: string, cuda: string, cudaVersion: string }}
 * @throws {Failure} one sentence for what is missing
 */
export function findHeaders(environment) {
  const tensorrt = findFolder(
    environment,
    'TENSORRT_INCLUDE',
    ['NvInfer.h', 'NvInferVersion.h', 'NvOnnxParser.h'],
    {
      folders: [
        `/usr/include/${multiarch}`,
        '/usr/include',
        '/usr/local/tensorrt/include',
        '/opt/tensorrt/include',
      ],
      what: `the headers of TensorRT ${major}`,
      advice: `install them with apt install libnvinfer-dev libnvonnxparsers-dev from NVIDIA's repository, or unpack TensorRT's tar file`,
    },
  )
  const cuda = findFolder(environment, 'CUDA_INCLUDE', ['cuda_runtime_api.h'], {
    folders: ['/usr/local/cuda/include', `/usr/include/${multiarch}`, '/usr/include'],
    what: `the headers of CUDA's runtime`,
    advice: `install them with apt install cuda-cudart-dev-13-0 (or later) from NVIDIA's repository`,
  })
  const tensorrtVersion = readTensorrtVersion(tensorrt)
  if (tensorrtVersion.split('.')[0] !== String(major)) {
    throw new Failure(
      `the headers in ${tensorrt} are TensorRT ${tensorrtVersion}, but the addon needs ${major}: install libnvinfer-dev of TensorRT ${major}, or set TENSORRT_INCLUDE to the folder of its headers`,
    )
  }
  return { tensorrt, tensorrtVersion, cuda, cudaVersion: readCudaVersion(cuda) }
}

function findFolder(environment, variable, files, { folders, what, advice }) {
  const chosen = environment[variable]
  const missing = (folder) => files.find((file) => !existsSync(join(folder, file)))
  if (chosen) {
    const file = missing(chosen)
    if (file === undefined) return chosen
    throw new Failure(`${variable} is ${chosen}, but there is no ${file}: set it to the folder of ${what}`)
  }
  const found = folders.find((folder) => missing(folder) === undefined)
  if (found) return found
  throw new Failure(
    `${what} (${files.join(', ')}) are in none of ${folders.join(', ')}: ${advice}, and set ${variable} if they are elsewhere`,
  )
}

/** `major.minor.patch.build`; each number is the value of a macro, which may be another macro. */
function readTensorrtVersion(folder) {
  const path = join(folder, 'NvInferVersion.h')
  const macros = readMacros(path)
  return ['MAJOR', 'MINOR', 'PATCH', 'BUILD']
    .map((part) => follow(macros, `NV_TENSORRT_${part}`, path))
    .join('.')
}

/** `13.3`, from 13030. */
function readCudaVersion(folder) {
  const path = join(folder, 'cuda_runtime_api.h')
  const number = Number(follow(readMacros(path), 'CUDART_VERSION', path))
  return `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / 10)}`
}

function readMacros(path) {
  const lines = readText(path).matchAll(/^\s*#\s*define\s+(\w+)\s+(\w+)/gm)
  return new Map(Array.from(lines, ([, name, value]) => [name, value]))
}

function follow(macros, name, path) {
  const seen = new Set()
  let value = name
  while (macros.has(value) && !seen.has(value)) {
    seen.add(value)
    value = macros.get(value)
  }
  if (/^\d+$/.test(value)) return value
  throw new Failure(`${path} does not tell ${name}: the installation is damaged, install it again`)
}
