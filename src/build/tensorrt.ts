/** Graphs to plans of TensorRT, each in a process of its own: see planner.ts. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../errors.js'
import type { PlannedGraph } from '../models/plan.js'
import type { NativeSettings } from '../runtime/native.js'
import { Phases } from './phases.js'
import { optimizationProfiles } from './profiles.js'
import type { FromPlanner, PlanJob } from './protocol.js'

/** A signal asked for the end of the build: what it had made is gone, and the process may end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'

  constructor(readonly signal: NodeJS.Signals) {
    super(`The build was interrupted by ${signal}.`)
  }
}

const entry = fileURLToPath(new URL('./planner.js', import.meta.url))
// not SIGHUP, which nohup wants ignored
const signals = ['SIGINT', 'SIGTERM'] as const
/** Milliseconds that the libraries have for their own end once the plan is there; some drivers hang in it. */
const END_PATIENCE = 2000
/** Lines of a process's last words. */
const LAST_LINES = 5

/**
 * Turns `<graph>.onnx` and its data in `folder` into `<graph>.plan`.
 * @param timingCache file of kernel timings, kept from build to build
 * @param onProgress told the fraction that is done; it starts again with every outer phase of TensorRT's
 * @throws SetupError when TensorRT refuses the graph or its process dies; Interrupted at SIGINT and SIGTERM
 */
export async function buildPlan(
  folder: string,
  planned: PlannedGraph,
  { libraries, device, timingCache }: NativeSettings & { readonly timingCache: string },
  onProgress: (fraction: number) => void,
): Promise<void> {
  const { name } = planned.graph
  const path = (extension: string) => join(folder, `${name}.${extension}`)
  await inProcess(
    {
      libraries,
      device,
      options: {
        onnx: path('onnx'),
        plan: path('plan'),
        profiles: optimizationProfiles(planned),
        timingCache,
        tf32: planned.tf32 ?? false,
      },
    },
    `the graph ${name}`,
    onProgress,
  )
  for (const extension of ['onnx', 'data']) rmSync(path(extension))
}

async function inProcess(job: PlanJob, what: string, onProgress: (fraction: number) => void): Promise<void> {
  const child = fork(entry, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'json' })
  const phases = new Phases()
  let answer: FromPlanner | undefined
  child.on('message', (message: FromPlanner) => {
    if (message.kind === 'progress') onProgress(phases.after(message.progress))
    else answer = message
  })
  child.on('disconnect', () => setTimeout(() => child.kill('SIGKILL'), END_PATIENCE).unref())
  const said = lastLines(child)
  let interrupted: NodeJS.Signals | undefined
  // Nothing in that process is worth an orderly end: its files are in a folder that goes, its memory is the system's.
  const interrupt = (signal: NodeJS.Signals) => {
    interrupted = signal
    child.kill('SIGKILL')
  }
  for (const signal of signals) process.once(signal, interrupt)
  try {
    child.send(job)
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    if (interrupted) throw new Interrupted(interrupted)
    if (answer?.kind === 'built') return
    if (answer?.kind === 'failed' && answer.setup)
      throw new SetupError(`TensorRT did not build ${what}: ${answer.message.replace(/\.?$/, '.')}`)
    if (answer?.kind === 'failed') throw Object.assign(new Error(answer.message), { stack: answer.stack })
    throw new SetupError(`TensorRT's process ${death(code, signal)} while it built ${what}${said()}.`)
  } finally {
    for (const signal of signals) process.off(signal, interrupt)
  }
}

function death(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'was killed (SIGKILL, most likely because the machine ran out of memory)'
  return signal === null ? `ended with code ${code}` : `died of ${signal}`
}

/** What a process said last, as the end of a sentence. */
function lastLines({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout!, stderr!])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-8192)
    })
  return () => {
    const lines = text.split('\n').map((line) => line.trim())
    const last = lines.filter((line) => line !== '').slice(-LAST_LINES)
    return last.length === 0 ? ' and said nothing' : `; its last words were: ${last.join(' | ')}`
  }
}
