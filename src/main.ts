/** Assembles the service: config → threads → assistant → http and admin → listen → drain. Imported by none. */
import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { startAdmin } from './admin/server.js'
import type { ServiceInfo } from './assistant/info.js'
import { Admission, modelInfos, startModels, stopModels } from './assistant/registry.js'
import { type Config, configHelp, readConfig } from './config.js'
import { SetupError } from './errors.js'
import { greeting } from './greeting.js'
import { createApp } from './http/app.js'
import { drain, listen, portOf } from './http/server.js'

async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel })
  const stopped = stopSignal()
  const models = await startModels(
    {
      runtime: config.runtime,
      checkpoints: config.checkpoints,
      engines: config.engines,
      choice: { whisper: config.sttModel, llama: config.chatModel, kokoro: config.ttsModel },
      threads: config.threads,
      kvMemory: config.kvMemory,
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
    const admission = new Admission(config.maxWaiting)
    const limits = { ...config, intents: config.intents === 'on' }
    const app = createApp({
      models,
      admission,
      logger,
      info,
      limits,
      maxBody: config.maxBody,
      apiKey: config.apiKey,
    })
    const server = await listen(app, config.host, config.port)
    const admin = config.adminPort === null ? null : await startAdmin(config.adminPort, info, admission)
    console.error(greeting(info, config, portOf(server), admin?.port))

    const signal = await stopped
    logger.info({ signal, requests: admission.size }, 'draining')
    admin?.drain()
    admission.close()
    await drain(server)
    admin?.stop()
  } finally {
    await stopModels(models)
  }
  logger.info('stopped')
  logger.flush()
}

/** The first SIGTERM or SIGINT; a second one, as a process group gets it, changes nothing. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
}

function version(): string {
  const path = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

if (process.argv.includes('--help') || process.argv.includes('-h')) console.log(configHelp())
else
  try {
    await serve(readConfig(process.env))
    process.exit(0)
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error)
    process.exit(1)
  }
