#!/usr/bin/env node
/**
 * Compiles the addon against NVIDIA's own headers and runs it on NVIDIA's own libraries, as far as a machine without a
 * GPU allows. For developers; native/README.md says what to install and what this prints.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildNative } from './native/build.js'
import { Failure } from './setup/child.js'

const usage = `Usage: node scripts/native-check.js --libraries DIR [file.onnx …]

  --libraries DIR  the folder of libnvinfer.so.11, libnvonnxparser.so.11 and (or the loader finds it) libcudart
  --help           this text

TENSORRT_INCLUDE and CUDA_INCLUDE name the folders of the headers, as for npm run build:native. The given .onnx files are
parsed and summed up, after a graph of our own with a K/V cache.
`

const root = fileURLToPath(new URL('..', import.meta.url))

try {
  const { values, positionals } = parseArgs({
    options: { libraries: { type: 'string' }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  // the parser's check runs in a process of its own, because TensorRT reads its switch once
  if (process.env.TRT_INTERNAL_OPTIONS) inspectAll(process.argv.slice(2))
  else if (values.help || !values.libraries) process.stdout.write(usage)
  else await check(resolve(values.libraries), positionals)
} catch (error) {
  const isSentence = error instanceof Failure || error.code?.startsWith('ERR_PARSE_ARGS')
  console.error(isSentence ? error.message : error)
  process.exitCode = 1
}

async function check(libraries, files) {
  if (!existsSync(join(root, 'dist', 'graph', 'graph.js')))
    throw new Failure('dist/graph is missing: compile with npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'native-check-'))
  try {
    const { addon, tensorrtVersion, cudaVersion } = await buildNative(root, { out: folder, strict: true })
    console.log(`compiled without a warning: headers of TensorRT ${tensorrtVersion}, CUDA ${cudaVersion}`)
    checkSymbols(addon)
    const native = createRequire(import.meta.url)(addon)
    const { tensorrt, parser, cudaRuntime } = native.load(libraries)
    console.log(`loaded: TensorRT ${tensorrt}, parser ${parser}, CUDA ${cudaRuntime}`)
    checkDevices(native)
    await writeOwnGraph(folder)
    const { status } = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), addon, libraries, join(folder, 'cached.onnx'), ...files],
      { stdio: 'inherit', env: { ...process.env, TRT_INTERNAL_OPTIONS: '--cpu_only=1' } },
    )
    if (status !== 0) throw new Failure('the parser did not take all files: see above')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The addon must load where nothing of NVIDIA is installed. */
function checkSymbols(addon) {
  const { stdout, status } = spawnSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' })
  if (status !== 0) throw new Failure('nm does not read the addon: install binutils')
  const foreign = stdout
    .split('\n')
    .filter((line) => / (cuda|getInfer|createInfer|createNv|.*nvinfer1)/.test(line))
  if (foreign.length > 0)
    throw new Failure(`the addon needs NVIDIA's libraries to load: ${foreign.join(', ')}`)
  console.log('linked to no library of NVIDIA')
}

/** On a machine without a GPU each of these is one sentence; with one, the list of GPUs. */
function checkDevices(native) {
  for (const [name, call] of Object.entries({
    'devices()': () => native.devices(),
    'setDevice(0)': () => native.setDevice(0),
    'inspect()': () => native.inspect(fileURLToPath(import.meta.url)),
  })) {
    try {
      console.log(`${name}: ${JSON.stringify(call()) ?? 'done'}`)
    } catch (error) {
      if (!error.code) throw error
      console.log(`${name} is refused: ${error.code}: ${error.message}`)
    }
  }
}

/** Attention over a K/V cache, two layers of it: TensorRT's own operators, aliased states, external data. */
async function writeOwnGraph(folder) {
  const from = (name) => import(new URL(`../dist/graph/${name}.js`, import.meta.url).href)
  const { Graph } = await from('graph')
  const { cachedAttention, keptRows, sightOf } = await from('attention')
  const { shapeOf } = await from('ops')
  const [heads, width, rows] = [4, 64, 128]
  const weights = { has: () => false, tensor: () => undefined }
  const g = new Graph('cached', { weights, target: 'tensorrt', float: 'float16' })
  let x = g.input('x', 'float16', ['batch', heads, 'new', width])
  const pastLength = g.input('pastLength', 'int64', ['batch'])
  const kept = [0, 1].map((layer) =>
    ['keys', 'values'].map((part) =>
      keptRows(g, { past: `${part}${layer}`, fresh: `${part}${layer}.kept`, heads, width }, rows),
    ),
  )
  const sight = sightOf(pastLength, shapeOf(x, 2, 3), kept[0][0].past, 1)
  for (const [keys, values] of kept) {
    const scale = g.initializer('scale', 'float16', [heads, 1, width], () =>
      new Float32Array(heads * width).fill(0.5),
    )
    const q = g.op('Mul', [x, scale])
    x = cachedAttention(q, x, x, { keys, values, sight, heads, kvHeads: heads, width })
  }
  g.output('y', x, ['batch', heads, 'new', width])
  g.write(folder)
}

function inspectAll([addon, libraries, ...files]) {
  const native = createRequire(import.meta.url)(addon)
  native.load(libraries)
  for (const file of files) {
    try {
      const { layers, inputs, outputs } = native.inspect(file)
      const tensors = (list) => list.map(({ name, dtype, dims }) => `${name} ${dtype}[${dims}]`).join(', ')
      console.log(`parsed ${file}: ${layers} layers\n  from ${tensors(inputs)}\n  to ${tensors(outputs)}`)
    } catch (error) {
      if (!error.code) throw error
      console.log(`${file} is refused: ${error.code}: ${error.message}`)
      process.exitCode = 1
    }
  }
}
