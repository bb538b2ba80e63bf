/** A conversation → the tokens of its prompt, by the checkpoint's own chat template. */
import { ServiceError } from '../../errors.js'
import type { ChatTemplate } from '../../text/chat-template.js'
import type { JsonObject } from '../../text/json-file.js'
import type { Tokenizer } from '../../text/tokenizer.js'
import { conversation, type Guard } from './conversation.js'
import { type Dialect, dialectOf } from './dialect.js'
import { type Thoughts, thinkMarks } from './reasoning.js'
import type { ChatMessage, GenerateRequest, ReasoningEffort, Tool } from './request.js'
import { hermes } from './tools.js'

export type PromptRequest = Pick<GenerateRequest, 'messages' | 'recordings' | 'reasoningEffort'> & {
  /** Those that the model is told of. */
  readonly tools?: readonly Tool[]
}

export interface Prompt {
  readonly tokens: readonly number[]
  readonly recordingTokens: number
  /** Where the prompt leaves the model, or lets it go. */
  readonly thoughts: Thoughts
}

/** Texts that models have learned as marks, and that may be tokens of their own without being special ones. */
const marks = ['<tool_call>', '</tool_call>', '<tool_response>', '</tool_response>', '<tools>', '</tools>']

export class PromptEncoder {
  readonly dialect: Dialect
  readonly #template: ChatTemplate
  readonly #tokenizer: Tokenizer
  readonly #special: RegExp | null
  readonly #specialOrThought: RegExp | null

  /** @param special the texts of the special tokens, which a message can write but not mean */
  constructor(template: ChatTemplate, tokenizer: Tokenizer, special: readonly string[]) {
    this.#template = template
    this.#tokenizer = tokenizer
    this.dialect = dialectOf(template)
    const known = (texts: readonly string[]) => texts.filter((text) => tokenizer.id(text) !== undefined)
    const thoughts: readonly string[] = Object.values(thinkMarks)
    this.#special = anyOf([...special.filter((text) => !thoughts.includes(text)), ...known(marks)])
    this.#specialOrThought = anyOf([...special, ...known([...marks, ...thoughts])])
  }

  /**
   * The prompt for the assistant's next message.
   * @param context tokens that prompt and reply may have in sum
   * @throws ServiceError `context_length_exceeded` when no token of a reply would fit, `invalid_value` when the
   *   template refuses the conversation
   */
  encode(request: PromptRequest, context: number): Prompt {
    const { messages, recordings = [], tools = [], reasoningEffort } = request
    if (messages.length === 0)
      throw new ServiceError('invalid_value', 'The conversation is empty.', 'messages')
    if (messages.length >= context)
      throw new ServiceError(
        'context_length_exceeded',
        `The conversation has ${messages.length} messages, but the context holds ${context} tokens: shorten it.`,
        'messages',
      )
    const seam = unusedCharacter([messages, tools])
    const text = this.#write(messages, tools, variables(reasoningEffort), this.#guard(seam))
    const { tokens, isWhole } = this.#tokens(text.split(seam), context)
    if (!isWhole || tokens.length >= context)
      throw new ServiceError(
        'context_length_exceeded',
        `The conversation has ${isWhole ? '' : 'at least '}${tokens.length} tokens, but the context holds ${context}, of which the reply needs at least one: shorten the messages.`,
        'messages',
      )
    const recordingTokens = recordings.reduce(
      (sum, spoken) => sum + this.#tokenizer.encode(spoken, context).length,
      0,
    )
    return {
      tokens,
      recordingTokens: Math.min(recordingTokens, tokens.length),
      thoughts: this.#thoughts(text),
    }
  }

  /** What does not fit is not encoded to its end: that takes time, which the prompts behind it would wait for. */
  #tokens(parts: readonly string[], most: number): { tokens: number[]; isWhole: boolean } {
    const tokens: number[] = []
    for (const part of parts) {
      if (tokens.length >= most) return { tokens, isWhole: false }
      for (const token of this.#tokenizer.encode(part, most)) tokens.push(token)
    }
    return { tokens, isWhole: true }
  }

  /**
   * Cuts special tokens that a message's author wrote: encoded apart, the halves are ordinary text, so no message can
   * end its turn and speak for another role.
   */
  #guard(seam: string): Guard {
    const cut = (text: string, pattern: RegExp | null) =>
      pattern ? text.replace(pattern, (token) => token.slice(0, 1) + seam + token.slice(1)) : text
    return {
      text: (text) => cut(text, this.#specialOrThought),
      said: (text) => cut(text, this.dialect.thinks ? this.#special : this.#specialOrThought),
    }
  }

  #thoughts(prompt: string): Thoughts {
    if (!this.dialect.thinks) return 'none'
    const end = prompt.trimEnd()
    return end.endsWith(thinkMarks.open) ? 'begun' : end.endsWith(thinkMarks.close) ? 'none' : 'possible'
  }

  /**
   * Hermes' own template has no words for some schemas (a property without a type, or with several) and ends in an
   * error: the tools are then told of in ours, which ask for the same form of calls.
   */
  #write(
    messages: readonly ChatMessage[],
    tools: readonly Tool[],
    variables: JsonObject,
    guard: Guard,
  ): string {
    const { dialect } = this
    const write = (as: Dialect) =>
      this.#template.render({ ...conversation(messages, tools, as, guard), variables })
    try {
      return write(dialect)
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause
      if (tools.length > 0 && dialect.calls === hermes) return write({ ...dialect, calls: undefined })
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `The model's chat template does not accept this conversation: ${why}`
      throw new ServiceError('invalid_value', message, 'messages', { cause })
    }
  }
}

/** Templates that can have the model think or not are told by one of these. */
function variables(effort: ReasoningEffort | undefined): JsonObject {
  if (effort === undefined) return {}
  const thinks = effort !== 'none' && effort !== 'minimal'
  return { enable_thinking: thinks, thinking: thinks, reasoning_effort: levels[effort] }
}

/** The three that templates know. */
const levels: Readonly<Record<ReasoningEffort, 'low' | 'medium' | 'high'>> = {
  none: 'low',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** One of Unicode's noncharacters U+FDD0 to U+FDEF that no text has: they are for such internal use. */
function unusedCharacter(texts: unknown): string {
  const candidates = Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i))
  const all = JSON.stringify(texts)
  const lower = all.toLowerCase()
  // A call's arguments are a JSON text in themselves, which can write a character by its number.
  const unused = candidates.find(
    (mark) => !all.includes(mark) && !lower.includes(`u${mark.charCodeAt(0).toString(16)}`),
  )
  if (unused) return unused
  const message = 'The messages have all the noncharacters U+FDD0 to U+FDEF: leave them out.'
  throw new ServiceError('invalid_value', message, 'messages')
}

/** The longest first: a token may begin with another. */
function anyOf(texts: readonly string[]): RegExp | null {
  const longestFirst = texts.filter((text) => text.length > 1).sort((a, b) => b.length - a.length)
  return longestFirst.length === 0 ? null : new RegExp(longestFirst.map(literal).join('|'), 'g')
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
