/** Assembles the service: config → threads → assistant → http and admin → listen → drain. Imported by none. */
import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { startAdmin } from './admin/server.js'
import { Admission } from './assistant/admission.js'
import type { ServiceInfo } from './assistant/info.js'
import { modelInfos, startModels, stopModels } from './assistant/registry.js'
import { type Config, configHelp, readConfig } from './config.js'
import { SetupError } from './errors.js'
import { greeting } from './greeting.js'
import { createApp } from './http/app.js'
import { HttpServer } from './http/server.js'

async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel })
  const signals = new StopSignals()
  const models = await startModels(
    {
      runtime: config.runtime,
      checkpoints: config.checkpoints,
      engines: config.engines,
      choice: { whisper: config.sttModel, llama: config.chatModel, kokoro: config.ttsModel },
      threads: config.threads,
      precision: config.precision,
      slots: config.slots,
      stateBytes: config.kvMemory,
      device: config.device,
      libraries: config.tensorrtLibraries,
    },
    (error) => {
      logger.fatal({ err: error }, error.message)
      process.exit(1)
    },
  )
  try {
    const info: ServiceInfo = {
      version: version(),
      runtime: config.runtime,
      models: modelInfos(models),
      readyAt: performance.now(),
    }
    const admission = new Admission(models.llama.info.parallel, config.maxWaiting)
    const limits = { ...config, intents: config.intents === 'on' }
    const app = createApp({
      models,
      admission,
      logger,
      info,
      limits,
      apiKey: config.apiKey,
      corsOrigins: config.corsOrigins,
      requestsPerMinute: config.requestsPerMinute,
      strictModels: config.strictModels === 'on',
    })
    const admin = config.adminPort === null ? null : await startAdmin(config.adminPort, info, admission)
    const stopped = signals.next()
    const server = await HttpServer.listen(app, config.host, config.port, logger)
    console.error(greeting(info, config, server.port, admin?.port))

    const signal = await stopped
    logger.info({ signal, requests: admission.size }, 'draining')
    admin?.drain()
    admission.close()
    await server.drain()
    admin?.stop()
  } finally {
    await stopModels(models)
  }
  logger.info('stopped')
  logger.flush()
}

/** SIGTERM and SIGINT: before {@link next} is asked for nothing runs that would need an orderly end. */
class StopSignals {
  private handle: (signal: NodeJS.Signals) => void = () => process.exit(0)

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.handle(signal))
  }

  /** The next signal; a second one, as a process group gets it, changes nothing. */
  next(): Promise<NodeJS.Signals> {
    return new Promise((resolve) => {
      this.handle = resolve
    })
  }
}

function version(): string {
  const path = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

try {
  const [argument] = process.argv.slice(2)
  if (argument === '--help' || argument === '-h') console.log(configHelp())
  else if (argument !== undefined)
    throw new SetupError(
      `${argument} is not understood: settings are environment variables, listed by --help.`,
    )
  else {
    await serve(readConfig(process.env))
    process.exit(0)
  }
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error)
  process.exit(1)
}
