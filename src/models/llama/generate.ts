/** The run half of the Llama family: a conversation → the assistant's next message, as it is written. */
import { join } from 'node:path'
import { type DecodeOptions, decode } from '../../decoding/decode.js'
import { StopStrings } from '../../decoding/stop.js'
import { SetupError } from '../../errors.js'
import { floats, int64, type Session } from '../../runtime/session.js'
import { loadChatTemplate } from '../../text/chat-template.js'
import { isObject, type JsonObject, readJsonObject, readTextIfPresent } from '../../text/json-file.js'
import { loadTokenizer, type Tokenizer } from '../../text/tokenizer.js'
import { Utf8Stream } from '../../text/utf8-stream.js'
import type { Model, ModelContext } from '../model.js'
import { bytesPerRow, decoder, decoderState } from './bindings.js'
import { type LlamaConfig, readLlamaConfig } from './config.js'
import { PromptEncoder } from './prompt.js'
import type { GenerateEvent } from './request.js'
import { type SamplingDefaults, samplingDefaults, tokenChooser } from './sampling.js'

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

export type { GenerateEvent }

/** Rows per run of a prompt on a CPU: larger ones are no faster, and between two a request can be cancelled. */
const CPU_PREFILL_ROWS = 128
/** Requests run one at a time. */
const SLOT = 0

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
  const { rows, rowBytes, prefillRows } = sizesFor(context, config)
  return new Llama(await context.open(decoder.graph, rows), {
    tokenizer,
    prompts,
    context: rows,
    prefillRows,
    defaults: samplingDefaults(generation, join(folder, 'generation_config.json')),
    stopTokens: stopTokens(folder, tokenizer, generation),
    facts: {
      contextTokens: rows,
      stateBytesPerToken: rowBytes,
      vocabulary: config.vocabulary,
    },
  })
}

/** Tokens that a sequence may have, bytes of state of each, and how many of a prompt one run takes. */
function sizesFor(
  { manifest, stateBytes }: ModelContext,
  config: LlamaConfig,
): { rows: number; rowBytes: number; prefillRows: number } {
  const signature = manifest.graphs[decoder.graph]
  if (!signature)
    throw new SetupError(`The engine ${manifest.model} has no graph ${decoder.graph}: build it again.`)
  const [first] = decoderState(config)
  const short = signature.inputs.some(({ name, dtype }) => name === first!.past && dtype !== 'float32')
  const rowBytes = bytesPerRow(config, short ? 2 : 4)
  const rows = Math.min(config.context, signature.stateRows, Math.floor(stateBytes / rowBytes))
  if (rows < 2)
    throw new SetupError(
      `${stateBytes} bytes of state hold ${rows} tokens of ${rowBytes} bytes each: give the model more memory.`,
    )
  const most = Math.max(0, ...signature.profiles.map(({ sizes }) => sizes[decoder.rows]?.[2] ?? 0))
  return { rows, rowBytes, prefillRows: most || CPU_PREFILL_ROWS }
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
  /** Tokens of a prompt per run. */
  readonly prefillRows: number
  readonly defaults: SamplingDefaults
  readonly stopTokens: ReadonlySet<number>
  readonly facts: Readonly<Record<string, unknown>>
}

class Llama implements Model<GenerateRequest, GenerateEvent> {
  readonly facts: Readonly<Record<string, unknown>>
  readonly #session: Session
  readonly #parts: Parts

  constructor(session: Session, parts: Parts) {
    this.facts = parts.facts
    this.#session = session
    this.#parts = parts
  }

  async *run(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const { prompts, context, defaults, stopTokens } = this.#parts
    const { tokens: prompt, recordingTokens } = prompts.encode(request, context)
    const promptTokens = prompt.length
    yield { kind: 'start', promptTokens, cachedTokens: 0, recordingTokens }
    try {
      const first = await this.#prefill(prompt, signal)
      const ended = yield* this.#write(first, promptTokens, request, {
        step: (token, position) => this.#step([token], position),
        select: tokenChooser(request, defaults, prompt),
        stopTokens,
        maxTokens: Math.min(request.maxTokens, context - promptTokens),
        signal,
      })
      yield { kind: 'end', choice: 0, ...ended, reasoningTokens: 0 }
    } finally {
      this.#session.release(SLOT)
    }
  }

  dispose(): Promise<void> {
    return this.#session.dispose()
  }

  /** Runs the prompt in pieces; the logits behind its last token. */
  async #prefill(prompt: readonly number[], signal: AbortSignal): Promise<Float32Array> {
    const { prefillRows } = this.#parts
    for (let past = 0; ; past += prefillRows) {
      signal.throwIfAborted()
      const logits = await this.#step(prompt.slice(past, past + prefillRows), past)
      if (past + prefillRows >= prompt.length) return logits
    }
  }

  /** Runs tokens that follow `past` others; the logits behind the last. */
  async #step(tokens: readonly number[], past: number): Promise<Float32Array> {
    const feeds = {
      [decoder.tokens]: int64(tokens, [1, tokens.length]),
      [decoder.pastLength]: int64([past]),
      [decoder.logitRows]: int64([tokens.length - 1]),
    }
    const uses = [{ slot: SLOT, past }]
    return floats(await this.#session.run(feeds, uses, [decoder.logits]), decoder.logits)
  }

  /** The reply as text: whole characters, without special tokens, up to a stop string. */
  async *#write(
    first: Float32Array,
    promptTokens: number,
    request: GenerateRequest,
    options: DecodeOptions,
  ): AsyncGenerator<GenerateEvent, { reason: 'stop' | 'length'; completionTokens: number }> {
    const characters = new Utf8Stream()
    const stops = new StopStrings(request.stop ?? [])
    const tokens = decode(first, promptTokens, options)
    for (let completionTokens = 0; ; ) {
      const next = await tokens.next()
      if (next.done) {
        // Bytes of a character that the limit cut in two are no text.
        const rest = stops.end()
        if (rest) yield { kind: 'text', choice: 0, text: rest }
        return { reason: next.value.reason, completionTokens }
      }
      completionTokens++
      const piece = characters.push(this.#parts.tokenizer.bytes(next.value.token))
      const { text, stopped } = stops.push(piece)
      if (text) yield { kind: 'text', choice: 0, text }
      if (stopped) return { reason: 'stop', completionTokens }
    }
  }
}
