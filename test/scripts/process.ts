import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly pid: number
  readonly ended: Promise<Ended>
}

export interface Surroundings {
  readonly cwd: string
  /** Changes to this process's environment; undefined removes a variable. */
  readonly env?: Record<string, string | undefined>
}

/** Starts Node on a script, in the surroundings of a test. */
export function start(args: string[], { cwd, env = {} }: Surroundings): Started {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, REQUIRE_ALL: undefined, npm_lifecycle_event: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const collected = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      collected[name] += text
    })
  }
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({
    code: code ?? null,
    ...collected,
  }))
  return { pid: child.pid ?? 0, ended }
}

export const run = (args: string[], surroundings: Surroundings): Promise<Ended> =>
  start(args, surroundings).ended
