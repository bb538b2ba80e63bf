/** The run half of the Llama family: a conversation → the assistant's next message, as it is written. */
import { join } from 'node:path'
import { SetupError } from '../../errors.js'
import { EventQueue } from '../../runtime/event-queue.js'
import { readJsonObject, readTextIfPresent } from '../../text/json-file.js'
import { loadVocabulary, type TokenVocabulary } from '../../text/token-vocabulary.js'
import type { Model, ModelContext } from '../model.js'
import { decoder } from './bindings.js'
import { capacityOf } from './capacity.js'
import { TokenChooser } from './chooser.js'
import { readLlamaConfig } from './config.js'
import { type Constraint, constraintOf, toolsOf } from './constraint.js'
import { Preparation } from './preparation.js'
import { PreparedGrammars } from './prepared-grammars.js'
import type { Prompt } from './prompt.js'
import { tokensAcross } from './reasoning.js'
import { type ReplyOptions, ReplyWriter } from './reply.js'
import type { GenerateEvent, GenerateRequest } from './request.js'
import { type Choosing, choosing, type SamplingDefaults, samplingDefaults } from './sampling.js'
import { Scheduler } from './scheduler.js'
import { stopTokens } from './stop-tokens.js'
import { hermes } from './tools.js'
import { grammarVocabulary } from './vocabulary.js'

/** Opens the engine of a Llama family checkpoint. @throws SetupError naming the file at fault */
export async function loadLlama(context: ModelContext): Promise<Model<GenerateRequest, GenerateEvent>> {
  const { folder } = context
  const config = readLlamaConfig(folder)
  const tokenizer = loadVocabulary(folder, config.vocabulary)
  if (tokenizer.vocabularySize > config.vocabulary)
    throw new SetupError(
      `${join(folder, 'tokenizer.json')} has ${tokenizer.vocabularySize} tokens, the network ${config.vocabulary}: take both from one checkpoint.`,
    )
  const hasGeneration = readTextIfPresent(folder, 'generation_config.json') !== undefined
  const generation = hasGeneration ? readJsonObject(folder, 'generation_config.json') : {}
  const capacity = capacityOf(context, config)
  const { context: stateRows, stateBytes } = capacity
  const ends = stopTokens(folder, tokenizer, generation, config.vocabulary)
  const defaults = samplingDefaults(generation, join(folder, 'generation_config.json'))
  const preparation = await Preparation.start({
    folder,
    vocabulary: config.vocabulary,
    stopTokens: ends,
  })
  const opened = context.open(decoder.graph, { stateRows, stateBytes })
  const session = await opened.catch(async (error: unknown) => {
    await preparation.dispose()
    throw error
  })
  const vocabulary = grammarVocabulary(tokenizer, config.vocabulary, ends)
  return new Llama(new Scheduler(session, capacity), {
    tokenizer,
    preparation,
    grammars: new PreparedGrammars(vocabulary, preparation),
    context: capacity.context,
    parallel: capacity.slots,
    vocabulary: config.vocabulary,
    defaults,
    stopTokens: ends,
    across: preparation.dialect.thinks ? tokensAcross(tokenizer) : [],
    facts: {
      contextTokens: capacity.context,
      slots: capacity.slots,
      stateBytes: capacity.stateBytes,
      stateBytesPerToken: capacity.rowBytes,
      vocabulary: config.vocabulary,
    },
  })
}

interface Parts {
  readonly tokenizer: TokenVocabulary
  readonly preparation: Preparation
  readonly grammars: PreparedGrammars
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

  async dispose(): Promise<void> {
    await this.#parts.preparation.dispose()
    await this.#scheduler.dispose()
  }

  /** Never fails: the reader of the events is told. */
  async #serve(
    request: GenerateRequest,
    signal: AbortSignal,
    events: EventQueue<GenerateEvent>,
  ): Promise<void> {
    try {
      const { preparation, grammars, context, defaults } = this.#parts
      const { dialect } = preparation
      const tools = toolsOf(request)
      const { messages, recordings, reasoningEffort } = request
      const conversation = { messages, recordings, reasoningEffort, tools }
      const prompt = await preparation.ask({ kind: 'prompt', request: conversation, context }, signal)
      const convention = dialect.calls ?? hermes
      const parallel = dialect.calls === undefined || dialect.parallelCalls
      const constraint = await constraintOf(request, tools, { convention, parallel }, grammars, signal)
      const { tokens, recordingTokens } = prompt
      const maxTokens = Math.min(request.maxTokens, context - tokens.length)
      const choosings = choosing(request, defaults)
      const replies = this.#replies({ ...request, maxTokens }, prompt, choosings, {
        constraint,
        calls: tools.length > 0 ? convention : undefined,
        emit: (event) => events.push(event),
      })
      await this.#scheduler.run({
        prompt: tokens,
        replies,
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
    { stop = [], choices = 1, maxTokens }: GenerateRequest,
    { tokens, thoughts }: Prompt,
    choosings: Choosing,
    {
      constraint,
      ...more
    }: Pick<ReplyOptions, 'calls' | 'emit'> & { constraint: (() => Constraint) | undefined },
  ): ReplyWriter[] {
    const { tokenizer, vocabulary, stopTokens, across } = this.#parts
    return Array.from(
      { length: choices },
      (_, index) =>
        new ReplyWriter({
          ...more,
          index,
          chooser: new TokenChooser(choosings.options(index), tokens, vocabulary),
          tokenizer,
          constraint: constraint?.(),
          stopTokens,
          stop,
          maxTokens,
          thoughts,
          across,
        }),
    )
  }
}
