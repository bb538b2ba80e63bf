/** Runs a program of child/ in a process of its own, for what a process can do only once or does not survive. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'
import { type Ended, run } from '../scripts/process.js'
import { newPath } from './native.js'

export interface ChildOptions {
  readonly args?: readonly string[]
  readonly env?: Record<string, string>
}

/** The process as it ended. `--expose-gc` is given. */
export function runChild(program: string, { args = [], env = {} }: ChildOptions = {}): Promise<Ended> {
  const script = join(root, 'dist-test', 'native', 'child', `${program}.js`)
  return run(['--expose-gc', script, ...args], { cwd: root, env })
}

/** What the program answered as JSON. Fails unless it ended in peace. */
export async function askChild<Answer>(program: string, options: ChildOptions = {}): Promise<Answer> {
  const { code, stdout, stderr } = await runChild(program, options)
  assert.equal(
    code,
    0,
    `${program} ${options.args?.join(' ') ?? ''} ended with ${code}:\n${stdout}\n${stderr}`,
  )
  assert.equal(stderr, '')
  return JSON.parse(stdout) as Answer
}

const kinds = [
  ...['deviceMemory', 'hostMemory', 'streams', 'events', 'graphs', 'graphExecs', 'builders', 'networks'],
  ...['configs', 'timingCaches', 'hostBlobs', 'parsers', 'runtimes', 'engines', 'contexts'],
] as const

/** How many objects of each kind are alive in the stand-in, without those of which there is none. */
export function livingObjects(countsFile: string): Record<string, number> {
  const bytes = readFileSync(countsFile)
  const counts = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
  assert.equal(counts.length, kinds.length, 'this list and the stand-in’s are one')
  return Object.fromEntries(
    kinds.map((kind, index) => [kind, Number(counts[index])] as const).filter(([, count]) => count !== 0),
  )
}

/** A file for the environment variable FAKE_COUNTS. */
export const countsFile = (): string => newPath('counts')
