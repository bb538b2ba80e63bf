/** The service as operators run it: `node dist/main.js` in a process of its own, on free ports. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A line of the log. */
export interface LogLine {
  readonly level: number
  readonly msg?: string
  readonly id?: string
  readonly [key: string]: unknown
}

/** Free ports, and nothing that the surroundings of the tests may have set; ENGINES and CHECKPOINTS count. */
const base: Environment = {
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  ...Object.fromEntries(
    ['API_KEY', 'INTENTS', 'LOG_LEVEL', 'STT_MODEL', 'CHAT_MODEL', 'TTS_MODEL', 'MAX_BODY', 'SLOTS']
      .concat([
        'MAX_WAITING',
        'MAX_AUDIO_SECONDS',
        'MAX_REPLY_TOKENS',
        'MAX_SPOKEN_TOKENS',
        'KV_MEMORY',
        'NODE_OPTIONS',
        'MAX_SPEECH_CHARACTERS',
        'CORS_ORIGINS',
        'REQUESTS_PER_MINUTE',
        'STRICT_MODELS',
      ])
      .map((name) => [name, undefined]),
  ),
}
/** The folder of the engines that are served. */
export const engines = process.env.ENGINES ?? join(root, 'engines')

/** A process of the service, whether it comes to serve or not. */
export class ServiceProcess {
  stderr = ''
  stdout = ''
  readonly pid: number
  readonly ended: Promise<Ended>
  private readonly child: ChildProcess

  /** @param checkout where the compiled program is */
  constructor(environment: Environment = {}, args: readonly string[] = [], checkout = root) {
    this.child = spawn(process.execPath, [join(checkout, 'dist', 'main.js'), ...args], {
      cwd: checkout,
      env: { ...process.env, ...base, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.pid = this.child.pid!
    for (const name of ['stdout', 'stderr'] as const)
      this.child[name]!.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text
      })
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }) as Ended)
  }

  get logs(): LogLine[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine)
  }

  /** Resolves with the log's line once it is there. */
  async logged(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const line = this.logs.find(wanted)
      if (line) return line
      await Promise.race([
        once(this.child.stdout!, 'data'),
        this.ended.then(() => assert.ok(this.logs.some(wanted), `never logged; the log:\n${this.stdout}`)),
      ])
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** As operators do it: asked first, and killed when it does not end. */
  async stop(): Promise<Ended> {
    this.kill('SIGTERM')
    const impatience = setTimeout(() => this.kill('SIGKILL'), 10_000)
    try {
      return await this.ended
    } finally {
      clearTimeout(impatience)
    }
  }

  /** Waits for the line that tells where it listens. */
  protected async listening(): Promise<RegExpExecArray> {
    const pattern = /^listening on http:\/\/127\.0\.0\.1:(\d+)(?:, admin gRPC on 127\.0\.0\.1:(\d+))?, .*\n/m
    for (;;) {
      const found = pattern.exec(this.stderr)
      if (found) return found
      await Promise.race([
        once(this.child.stderr!, 'data'),
        this.ended.then(({ code }) => assert.fail(`the service ended with ${code}: ${this.stderr}`)),
      ])
    }
  }
}

/** A service that serves. */
export class Service extends ServiceProcess {
  port = 0
  adminPort = 0

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  static async start(environment: Environment = {}, checkout = root): Promise<Service> {
    const { ENGINES = engines, RUNTIME = 'onnxruntime' } = environment
    if (!existsSync(join(ENGINES, RUNTIME)))
      throw new Error(
        `There are no engines in ${ENGINES}: run npm run build-engines (npm test does it by itself).`,
      )
    const service = new Service(environment, [], checkout)
    const [, port, adminPort] = await service.listening()
    service.port = Number(port)
    service.adminPort = Number(adminPort)
    return service
  }
}

let shared: Promise<Service> | undefined

/** The one service that tests share which ask nothing special; ended by the hook of hooks.ts. */
export function sharedService(): Promise<Service> {
  shared ??= Service.start()
  return shared
}

export async function stopSharedService(): Promise<void> {
  const service = await shared
  shared = undefined
  await service?.stop()
}
