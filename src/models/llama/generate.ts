/** The run half of the Llama family: a conversation → the assistant's next message, as it is written. */
import { join } from 'node:path'
import { SetupError } from '../../errors.js'
import { Grammars } from '../../grammar/grammars.js'
import { EventQueue } from '../../runtime/event-queue.js'
import { loadChatTemplate } from '../../text/chat-template.js'
import { isObject, type JsonObject, readJsonObject, readTextIfPresent } from '../../text/json-file.js'
import { loadTokenizer, type Tokenizer } from '../../text/tokenizer.js'
import type { Model, ModelContext } from '../model.js'
import { decoder } from './bindings.js'
import { capacityOf } from './capacity.js'
import { TokenChooser } from './chooser.js'
import { readLlamaConfig } from './config.js'
import { constraintOf, toolsOf } from './constraint.js'
import { type Prompt, PromptEncoder } from './prompt.js'
import { tokensAcross } from './reasoning.js'
import { ReplyWriter } from './reply.js'
import type { GenerateEvent, GenerateRequest, Tool } from './request.js'
import { type Choosing, choosing, type SamplingDefaults, samplingDefaults } from './sampling.js'
import { Scheduler } from './scheduler.js'
import { hermes } from './tools.js'

/** Opens the engine of a Llama family checkpoint. @throws SetupError naming the file at fault */
export async function loadLlama(context: ModelContext): Promise<Model<GenerateRequest, GenerateEvent>> {
  const { folder } = context
  const config = readLlamaConfig(folder)
  const tokenizer = loadTokenizer(folder, config.vocabulary)
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
  const ends = stopTokens(folder, tokenizer, generation)
  return new Llama(new Scheduler(session, capacity), {
    tokenizer,
    prompts,
    grammars: new Grammars({
      size: config.vocabulary,
      bytes: (id) => tokenizer.bytes(id),
      stopTokens: ends,
      specialId: (text) => tokenizer.id(text),
    }),
    context: capacity.context,
    parallel: capacity.slots,
    vocabulary: config.vocabulary,
    defaults: samplingDefaults(generation, join(folder, 'generation_config.json')),
    stopTokens: ends,
    across: prompts.dialect.thinks ? tokensAcross(tokenizer) : [],
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
  readonly grammars: Grammars
  /** Tokens that prompt and reply may have in sum. */
  readonly context: number
  readonly parallel: number
  /** Logits in a row. */
  readonly vocabulary: number
  readonly defaults: SamplingDefaults
  readonly stopTokens: ReadonlySet<number>
  readonly across: readonly (readonly number[])[]
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
    const events = new EventQueue<GenerateEvent>()
    const left = new AbortController()
    const served = this.#serve(request, AbortSignal.any([signal, left.signal]), events)
    try {
      yield* events.read(signal)
    } finally {
      left.abort()
      await served
    }
  }

  dispose(): Promise<void> {
    return this.#scheduler.dispose()
  }

  /** Never fails: the reader of the events is told. */
  async #serve(
    request: GenerateRequest,
    signal: AbortSignal,
    events: EventQueue<GenerateEvent>,
  ): Promise<void> {
    try {
      const { prompts, context, defaults } = this.#parts
      const tools = toolsOf(request)
      const prompt = prompts.encode({ ...request, tools }, context)
      const { tokens, recordingTokens } = prompt
      const maxTokens = Math.min(request.maxTokens, context - tokens.length)
      const choosings = choosing(request, defaults)
      const emit = (event: GenerateEvent) => events.push(event)
      await this.#scheduler.run({
        prompt: tokens,
        replies: this.#replies({ ...request, tools, maxTokens }, prompt, choosings, emit),
        maxTokens,
        reproducible: choosings.reproducible,
        signal,
        started: (cachedTokens) =>
          events.push({ kind: 'start', promptTokens: tokens.length, cachedTokens, recordingTokens }),
      })
      events.end()
    } catch (thrown) {
      events.fail(thrown)
    }
  }

  #replies(
    request: GenerateRequest & { tools: readonly Tool[] },
    { tokens, thoughts }: Prompt,
    choosings: Choosing,
    emit: (event: GenerateEvent) => void,
  ): ReplyWriter[] {
    const { prompts, tokenizer, grammars, vocabulary, stopTokens, across } = this.#parts
    const { tools, stop = [], maxTokens } = request
    const { dialect } = prompts
    const convention = dialect.calls ?? hermes
    const parallel = dialect.calls === undefined || dialect.parallelCalls
    const constraint = constraintOf(request, tools, convention, parallel, grammars)
    return Array.from(
      { length: request.choices ?? 1 },
      (_, index) =>
        new ReplyWriter({
          index,
          chooser: new TokenChooser(choosings.options(index), tokens, vocabulary),
          tokenizer,
          constraint: constraint?.(),
          stopTokens,
          stop,
          maxTokens,
          thoughts,
          across,
          calls: tools.length > 0 ? convention : undefined,
          emit,
        }),
    )
  }
}
