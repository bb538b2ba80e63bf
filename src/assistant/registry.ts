/** The loaded models and their threads. */
import { join } from 'node:path'
import { type ServiceError, SetupError } from '../errors.js'
import type { SpeakEvent, SpeakRequest } from '../models/kokoro/speak.js'
import type { GenerateEvent, GenerateRequest } from '../models/llama/request.js'
import type { TranscribeEvent, TranscribeRequest } from '../models/whisper/transcribe.js'
import { Cores } from '../runtime/cores.js'
import { type EngineSettings, engineIdentities } from '../runtime/identity.js'
import type { Family } from '../runtime/manifest.js'
import type { ModelInfo } from '../runtime/protocol.js'
import { freshness, listEngines, needsBuild, readManifest } from '../runtime/store.js'
import { ModelThread } from '../runtime/thread.js'

export interface ModelSettings extends EngineSettings {
  readonly checkpoints: string
  readonly engines: string
  /** The engine to use per family, or null to take the only one there is. */
  readonly choice: Readonly<Record<Family, string | null>>
  readonly threads: number
}

/** The three models of the straight line, each on its thread. */
export interface Models {
  readonly whisper: ModelThread<TranscribeRequest, TranscribeEvent>
  readonly llama: ModelThread<GenerateRequest, GenerateEvent>
  readonly kokoro: ModelThread<SpeakRequest, SpeakEvent>
}

/**
 * Loads the three models: at once, or on a GPU one after another, so that each finds its memory free or taken.
 * @param onDeath told when a model's thread has ended by itself: the service can not go on
 * @throws SetupError when an engine is missing, stale, damaged or ambiguous
 */
export async function startModels(
  settings: ModelSettings,
  onDeath: (error: ServiceError) => void,
): Promise<Models> {
  const folder = join(settings.engines, settings.runtime)
  const names = listEngines(folder)
  const identityOf = engineIdentities(settings)
  const whole = async (family: Family): Promise<string> => {
    const name = chosenEngine(folder, names, family, settings)
    const engine = join(folder, name)
    const state = await freshness(engine, join(settings.checkpoints, name), identityOf(family))
    if (state.fresh) return engine
    throw needsBuild(state.reason, settings.runtime)
  }
  // All are looked at before one is loaded: what is missing is said at once.
  const engines: Record<Family, string> = {
    whisper: await whole('whisper'),
    llama: await whole('llama'),
    kokoro: await whole('kokoro'),
  }
  const { memory: cores } = new Cores()
  let before: Promise<unknown> = Promise.resolve()
  const start = <Request, Event>(family: Family): Promise<ModelThread<Request, Event>> => {
    const { runtime, threads, slots, stateBytes, device, libraries } = settings
    const entry = new URL('../worker.js', import.meta.url)
    const folder = engines[family]
    const thread = { family, runtime, folder, threads, cores, slots, stateBytes, device, libraries }
    const begin = () => ModelThread.start<Request, Event>(entry, thread, onDeath)
    const started = runtime === 'tensorrt' ? before.then(begin) : begin()
    before = started
    return started
  }
  const started = await Promise.allSettled([
    start<TranscribeRequest, TranscribeEvent>('whisper'),
    start<GenerateRequest, GenerateEvent>('llama'),
    start<SpeakRequest, SpeakEvent>('kokoro'),
  ])
  const [whisper, llama, kokoro] = started
  if (whisper.status === 'fulfilled' && llama.status === 'fulfilled' && kokoro.status === 'fulfilled')
    return { whisper: whisper.value, llama: llama.value, kokoro: kokoro.value }
  for (const result of started) if (result.status === 'fulfilled') await result.value.stop()
  throw started.find((result) => result.status === 'rejected')?.reason
}

export function modelInfos(models: Models): ModelInfo[] {
  return [models.whisper.info, models.llama.info, models.kokoro.info]
}

export async function stopModels(models: Models): Promise<void> {
  await Promise.all([models.whisper.stop(), models.llama.stop(), models.kokoro.stop()])
}

const variables: Record<Family, string> = { whisper: 'STT_MODEL', llama: 'CHAT_MODEL', kokoro: 'TTS_MODEL' }

function chosenEngine(
  folder: string,
  names: readonly string[],
  family: Family,
  { runtime, checkpoints, choice: { [family]: choice } }: ModelSettings,
): string {
  const ofFamily = names.filter((name) => readManifest(join(folder, name)).family === family)
  const list = ofFamily.join(', ') || 'none'
  if (choice !== null) {
    if (ofFamily.includes(choice)) return choice
    throw needsBuild(
      `${variables[family]} is "${choice}", but ${folder} has no such ${family} engine (it has ${list})`,
      runtime,
    )
  }
  const [only, ...others] = ofFamily
  if (only === undefined)
    throw needsBuild(
      `There is no ${family} engine in ${folder}, to be made from a checkpoint of that family in ${checkpoints}`,
      runtime,
    )
  if (others.length > 0)
    throw new SetupError(
      `There are several ${family} engines in ${folder} (${list}): choose one with ${variables[family]}.`,
    )
  return only
}
