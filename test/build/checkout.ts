/**
 * A checkout of the compiled program with an addon of the test's own, a family of two small graphs in Whisper's place,
 * and its checkpoint: everything of `build-engines --runtime tensorrt` but TensorRT.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { f32, packed } from '../checkpoint/writers.js'
import { root } from '../root.js'
import { type Ended, type Started, start } from '../scripts/process.js'

export const model = 'tiny'

/** What the addon of the test finds and does; `FAKE_…` in the environment. */
export type Fakes = {
  readonly FAKE_TENSORRT?: string
  readonly FAKE_GPU?: string
  readonly FAKE_DRIVER?: 'none'
  readonly FAKE_BUILD?: 'abort' | 'killed' | 'exit' | 'refused' | 'bug' | 'endless' | 'lingering'
}

export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), 'checkout-'))
  readonly engines = join(this.folder, 'engines', 'tensorrt')
  readonly engine = join(this.engines, model)

  /** @param real the compiled addon, and a plan in place of the two graphs; an addon in JavaScript if absent */
  constructor(private readonly real?: { readonly addon: string; readonly planner?: string }) {
    for (const name of ['dist', 'scripts']) cpSync(join(root, name), this.path(name), { recursive: true })
    copyFileSync(join(root, 'package.json'), this.path('package.json'))
    symlinkSync(join(root, 'node_modules'), this.path('node_modules'), 'junction')
    this.write('dist/models/whisper/build.js', real?.planner ?? planner)
    this.write('native/build/tensorrt.node', 'for fake-addon.cjs')
    if (real) copyFileSync(real.addon, this.path('native/build/tensorrt.node'))
    this.write('fake-addon.cjs', fakeAddon)
    this.write(`checkpoints/${model}/config.json`, '{ "model_type": "whisper" }')
    const weights = packed({ w: ['F32', [512, 4], f32(...Array.from({ length: 2048 }, (_, i) => i))] })
    this.write(`checkpoints/${model}/model.safetensors`, weights)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    writeFileSync(this.path(name), content)
  }

  /** What is in the folder of TensorRT's engines. */
  get made(): string[] {
    return existsSync(this.engines) ? readdirSync(this.engines).sort() : []
  }

  start(
    script: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string | undefined>> = {},
  ): Started {
    const unset = ['RUNTIME', 'PRECISION', 'SLOTS', 'KV_MEMORY', 'DEVICE', 'TENSORRT_LIBRARIES']
    const surroundings = {
      ...Object.fromEntries(unset.map((name) => [name, undefined])),
      CHECKPOINTS: this.path('checkpoints'),
      ENGINES: this.path('engines'),
      ...(this.real ? {} : { NODE_OPTIONS: `--require "${this.path('fake-addon.cjs')}"` }),
      ...env,
    }
    return start([script, ...args], { cwd: this.folder, env: surroundings })
  }

  /** `build-engines --runtime tensorrt` to its end. */
  build(fakes: Fakes | Record<string, string> = {}, ...args: string[]): Promise<Ended> {
    return this.start(join('scripts', 'build-engines.js'), ['--runtime', 'tensorrt', ...args], fakes).ended
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Two graphs, one of them with open sizes. */
const planner = `
import { Graph } from '../../graph/graph.js'
export function planWhisper(folder, checkpoint, { target, precision, slots, stateBytes }) {
  const graph = (name, rows) => {
    const made = new Graph(name, { weights: checkpoint, target })
    const x = made.input('x', 'float32', [rows, 4])
    const n = made.input('n', 'float32', [1])
    made.output('y', made.op('Add', [made.op('MatMul', [x, made.op('Transpose', [made.weight('w')])]), n]), [rows, 512])
    return made
  }
  const profiles = [
    { name: 'one', sizes: { rows: [1, 1, 1] } },
    { name: 'many', sizes: { rows: [1, slots, 64] } },
  ]
  return {
    graphs: [{ graph: graph('first', 'rows'), profiles, slots, tf32: true }, { graph: graph('second', 2) }],
    assets: ['config.json'],
  }
}
`

/** The native contract as far as a build needs it; a plan holds the options that it was built with. */
const fakeAddon = `
const { existsSync, writeFileSync } = require('node:fs')
const { FAKE_TENSORRT = '11.1.0.106', FAKE_GPU = 'Fake L4', FAKE_DRIVER, FAKE_BUILD } = process.env
const failure = (code, message) => Object.assign(new Error(message), { code })
let log = () => {}
const native = {
  headers: '11.1.0.106',
  load: (folder) => {
    if (folder !== undefined) throw failure('library', 'There is no libnvinfer.so.11 in ' + folder + ': install TensorRT or name its folder')
    return { tensorrt: FAKE_TENSORRT, parser: FAKE_TENSORRT, cudaRuntime: '13.3', headers: '11.1.0.106' }
  },
  devices: () => {
    if (FAKE_DRIVER === 'none') throw failure('driver', 'no NVIDIA driver was found: install one')
    return [{ index: 0, name: FAKE_GPU, sm: 89, memoryBytes: 24e9, driver: '13.3' }]
  },
  setDevice: () => {},
  onLog: (listener) => (log = listener),
  build: (options, onProgress) => ({ cancel() {}, done: build(options, onProgress) }),
}
async function build(options, onProgress) {
  for (const path of [options.onnx, options.onnx.replace(/onnx$/, 'data')])
    if (!existsSync(path)) throw failure('tensorrt', 'There is no ' + path)
  onProgress({ phase: 'Building', parent: null, step: 0, steps: 2, finished: false })
  log('warning', 'low on memory')
  log('info', 'of no interest')
  if (FAKE_BUILD === 'abort') {
    console.error("terminate called after throwing an instance of 'nvinfer1::APIUsageError'")
    process.kill(process.pid, 'SIGABRT')
    await new Promise(() => {})
  }
  if (FAKE_BUILD === 'killed') process.kill(process.pid, 'SIGKILL')
  if (FAKE_BUILD === 'exit') process.exit(3)
  if (FAKE_BUILD === 'refused') throw failure('tensorrt', 'The parser refuses node Add#1: mixed types')
  if (FAKE_BUILD === 'bug') throw new TypeError('a bug of the addon')
  if (FAKE_BUILD === 'endless') {
    writeFileSync('planner-pid', String(process.pid))
    await new Promise(() => setInterval(() => {}, 1000))
  }
  onProgress({ phase: 'Building', parent: null, step: 2, steps: 2, finished: true })
  writeFileSync(options.plan, JSON.stringify(options))
  writeFileSync(options.timingCache, 'timings')
  if (FAKE_BUILD === 'lingering') setInterval(() => {}, 1000)
}
const Module = require('node:module')
const original = Module._extensions['.node']
Module._extensions['.node'] = (module, path) => {
  if (path.endsWith('tensorrt.node')) module.exports = native
  else original(module, path)
}
`
