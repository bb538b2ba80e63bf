/** A conversation → the tokens of its prompt, by the checkpoint's own chat template. */
import { ServiceError } from '../../errors.js'
import type { ChatTemplate, TemplateMessage } from '../../text/chat-template.js'
import type { Tokenizer } from '../../text/tokenizer.js'

export interface PromptRequest {
  readonly messages: readonly { role: string; content: string }[]
  /** Texts within the messages that came from recordings: their tokens are counted apart. */
  readonly recordings?: readonly string[]
}

export interface Prompt {
  readonly tokens: readonly number[]
  readonly recordingTokens: number
}

/** OpenAI's roles in the templates' terms. */
const roles: Readonly<Record<string, string>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
}

export class PromptEncoder {
  readonly #template: ChatTemplate
  readonly #tokenizer: Tokenizer
  readonly #special: RegExp | null

  /** @param special the texts of the special tokens, which a message can write but not mean */
  constructor(template: ChatTemplate, tokenizer: Tokenizer, special: readonly string[]) {
    this.#template = template
    this.#tokenizer = tokenizer
    const longestFirst = special.filter((text) => text.length > 1).sort((a, b) => b.length - a.length)
    this.#special = longestFirst.length === 0 ? null : new RegExp(longestFirst.map(literal).join('|'), 'g')
  }

  /**
   * The prompt for the assistant's next message.
   * @param context tokens that prompt and reply may have in sum
   * @throws ServiceError `context_length_exceeded` when no token of a reply would fit, `invalid_value` when the
   *   template refuses the conversation, `unsupported_value` for an unknown role
   */
  encode({ messages, recordings = [] }: PromptRequest, context: number): Prompt {
    if (messages.length === 0)
      throw new ServiceError('invalid_value', 'The conversation is empty.', 'messages')
    const seam = unusedCharacter(messages)
    const written = messages.map(({ role, content }, i) => ({
      role: templateRole(role, i),
      content: this.#split(content, seam),
    }))
    const parts = this.#render(written).split(seam)
    const tokens = parts.flatMap((part) => this.#tokenizer.encode(part, context))
    if (tokens.length >= context)
      throw new ServiceError(
        'context_length_exceeded',
        `The conversation has ${tokens.length} tokens, but the context holds ${context}, of which the reply needs at least one: shorten the messages.`,
        'messages',
      )
    const recordingTokens = recordings.reduce(
      (sum, text) => sum + this.#tokenizer.encode(text, context).length,
      0,
    )
    return { tokens, recordingTokens: Math.min(recordingTokens, tokens.length) }
  }

  /**
   * Cuts special tokens that a message's author wrote: encoded apart, the halves are ordinary text, so no message can
   * end its turn and speak for another role.
   */
  #split(content: string, seam: string): string {
    if (!this.#special) return content
    return content.replace(this.#special, (token) => token.slice(0, 1) + seam + token.slice(1))
  }

  #render(messages: readonly TemplateMessage[]): string {
    try {
      return this.#template.render(messages)
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `The model's chat template does not accept this conversation: ${why}`
      throw new ServiceError('invalid_value', message, 'messages', { cause })
    }
  }
}

function templateRole(role: string, index: number): string {
  const known = Object.hasOwn(roles, role) ? roles[role] : undefined
  if (known) return known
  throw new ServiceError(
    'unsupported_value',
    `The role ${JSON.stringify(role)} is not supported: use ${Object.keys(roles).join(', ')}.`,
    `messages[${index}].role`,
  )
}

/** One of Unicode's noncharacters U+FDD0 to U+FDEF that no message has: they are for such internal use. */
function unusedCharacter(messages: readonly { content: string }[]): string {
  const candidates = Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i))
  const unused = candidates.find((mark) => !messages.some(({ content }) => content.includes(mark)))
  if (unused) return unused
  const message = 'The messages have all the noncharacters U+FDD0 to U+FDEF: leave them out.'
  throw new ServiceError('invalid_value', message, 'messages')
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
