/** The run half of the Llama family: a conversation → the assistant's next message, as it is written. */
import { join } from 'node:path'
import { StopStrings } from '../../decoding/stop.js'
import { SetupError } from '../../errors.js'
import { loadChatTemplate } from '../../text/chat-template.js'
import { isObject, type JsonObject, readJsonObject, readTextIfPresent } from '../../text/json-file.js'
import { loadTokenizer, type Tokenizer } from '../../text/tokenizer.js'
import { Utf8Stream } from '../../text/utf8-stream.js'
import type { Model, ModelContext } from '../model.js'
import { decoder } from './bindings.js'
import { capacityOf } from './capacity.js'
import { readLlamaConfig } from './config.js'
import { PromptEncoder } from './prompt.js'
import { type SamplingDefaults, samplingDefaults, tokenChooser } from './sampling.js'
import { type Choice, type Reply, Scheduler, type Scores } from './scheduler.js'

export interface GenerateRequest {
  readonly messages: readonly { role: string; content: string }[]
  /** Texts within the messages that came from recordings: their tokens are counted apart. */
  readonly recordings?: readonly string[]
  /** Cut to what the context has left. */
  readonly maxTokens: number
  /** 0 takes the likeliest token. Absent values: those of the model's generation_config.json. */
  readonly temperature?: number
  readonly topP?: number
  /** The same request with the same seed gives the same text. */
  readonly seed?: number
  /** Texts that end the reply and are not part of it. */
  readonly stop?: readonly string[]
}

export type GenerateEvent =
  | {
      readonly kind: 'start'
      readonly promptTokens: number
      readonly cachedTokens: number
      readonly recordingTokens: number
    }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'end'
      readonly reason: 'stop' | 'length'
      readonly promptTokens: number
      readonly completionTokens: number
    }

/** Opens the engine of a Llama family checkpoint. @throws SetupError naming the file at fault */
export async function loadLlama(context: ModelContext): Promise<Model<GenerateRequest, GenerateEvent>> {
  const { folder } = context
  const config = readLlamaConfig(folder)
  const tokenizer = loadTokenizer(folder)
  if (tokenizer.vocabularySize > config.vocabulary)
    throw new SetupError(
      `${join(folder, 'tokenizer.json')} has ${tokenizer.vocabularySize} tokens, the network ${config.vocabulary}: take both from one checkpoint.`,
    )
  const template = loadChatTemplate(folder)
  const prompts = new PromptEncoder(template, tokenizer, tokenizer.specialTokens)
  const hasGeneration = readTextIfPresent(folder, 'generation_config.json') !== undefined
  const generation = hasGeneration ? readJsonObject(folder, 'generation_config.json') : {}
  const capacity = capacityOf(context, config)
  const { context: stateRows, stateBytes } = capacity
  const session = await context.open(decoder.graph, { stateRows, stateBytes })
  return new Llama(new Scheduler(session, capacity), {
    tokenizer,
    prompts,
    context: capacity.context,
    parallel: capacity.slots,
    defaults: samplingDefaults(generation, join(folder, 'generation_config.json')),
    stopTokens: stopTokens(folder, tokenizer, generation),
    facts: {
      contextTokens: capacity.context,
      slots: capacity.slots,
      stateBytes: capacity.stateBytes,
      stateBytesPerToken: capacity.rowBytes,
      vocabulary: config.vocabulary,
    },
  })
}

/** The ends that generation_config.json, config.json and the tokenizer name: chat models spread them over the three. */
function stopTokens(folder: string, tokenizer: Tokenizer, generation: JsonObject): ReadonlySet<number> {
  const ids = [generation, readJsonObject(folder, 'config.json')].flatMap((file) => file.eos_token_id)
  const { eos_token: eos } = readJsonObject(folder, 'tokenizer_config.json')
  const text = isObject(eos) ? eos.content : eos
  if (typeof text === 'string') ids.push(tokenizer.id(text))
  const stops = new Set(ids.filter((id) => typeof id === 'number'))
  if (stops.size === 0)
    throw new SetupError(`${join(folder, 'config.json')} names no eos_token_id: replies would never end.`)
  return stops
}

interface Parts {
  readonly tokenizer: Tokenizer
  readonly prompts: PromptEncoder
  /** Tokens that prompt and reply may have in sum. */
  readonly context: number
  readonly parallel: number
  readonly defaults: SamplingDefaults
  readonly stopTokens: ReadonlySet<number>
  readonly facts: Readonly<Record<string, unknown>>
}

class Llama implements Model<GenerateRequest, GenerateEvent> {
  readonly facts: Readonly<Record<string, unknown>>
  readonly parallel: number
  readonly #scheduler: Scheduler
  readonly #parts: Parts

  constructor(scheduler: Scheduler, parts: Parts) {
    this.facts = parts.facts
    this.parallel = parts.parallel
    this.#scheduler = scheduler
    this.#parts = parts
  }

  async *run(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const { prompts, context, defaults, stopTokens, tokenizer } = this.#parts
    const { tokens: prompt, recordingTokens } = prompts.encode(request, context)
    const promptTokens = prompt.length
    const maxTokens = Math.min(request.maxTokens, context - promptTokens)
    const queue: GenerateEvent[] = []
    let wake = () => {}
    const tell = (event: GenerateEvent) => {
      queue.push(event)
      wake()
    }
    const reply = new TextReply(tell, {
      select: tokenChooser(request, defaults, prompt),
      bytes: (token) => tokenizer.bytes(token),
      stop: request.stop ?? [],
      promptTokens,
      maxTokens,
      stopTokens,
    })
    const left = new AbortController()
    let ended = false
    const served = this.#scheduler
      .run({
        prompt,
        replies: [reply],
        maxTokens,
        signal: AbortSignal.any([signal, left.signal]),
        started: (cachedTokens) => tell({ kind: 'start', promptTokens, cachedTokens, recordingTokens }),
      })
      .finally(() => {
        ended = true
        wake()
      })
    try {
      for (;;) {
        signal.throwIfAborted()
        const event = queue.shift()
        if (event) yield event
        else if (ended) return await served
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      left.abort()
      await served.catch(() => {})
    }
  }

  dispose(): Promise<void> {
    return this.#scheduler.dispose()
  }
}

/** The reply as text: whole characters, without special tokens, up to a stop string. */
class TextReply implements Reply {
  readonly needsRow = true
  readonly #characters = new Utf8Stream()
  readonly #stops: StopStrings
  readonly #tokens: number[] = []

  constructor(
    private readonly tell: (event: GenerateEvent) => void,
    private readonly options: {
      select: (logits: Float32Array, tokens: readonly number[]) => number
      bytes: (token: number) => Uint8Array
      stop: readonly string[]
      promptTokens: number
      maxTokens: number
      stopTokens: ReadonlySet<number>
    },
  ) {
    this.#stops = new StopStrings(options.stop)
  }

  next({ logits }: Scores): Choice {
    const { maxTokens, stopTokens, select, bytes } = this.options
    if (maxTokens === 0) return this.#end('length')
    const token = select(logits, this.#tokens)
    if (stopTokens.has(token)) return this.#end('stop')
    this.#tokens.push(token)
    const { text, stopped } = this.#stops.push(this.#characters.push(bytes(token)))
    if (text) this.tell({ kind: 'text', text })
    if (stopped) return this.#end('stop')
    // Bytes of a character that the limit cut in two are no text.
    return this.#tokens.length < maxTokens ? { kind: 'token', token } : this.#end('length')
  }

  #end(reason: 'stop' | 'length'): Choice {
    const rest = this.#stops.end()
    if (rest) this.tell({ kind: 'text', text: rest })
    const { promptTokens } = this.options
    this.tell({ kind: 'end', reason, promptTokens, completionTokens: this.#tokens.length })
    return { kind: 'end' }
  }
}
