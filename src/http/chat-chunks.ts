/**
 * The assistant's events as `chat.completion.chunk`s. Clients put them together by adding texts to texts and numbers to
 * numbers, so the role, the ids and names of calls, the reply's id and its expiry are sent exactly once.
 */
import type { ChatEvent } from '../assistant/chat.js'
import { expiry, replyId } from '../assistant/reply-id.js'
import { Base64Pieces } from '../audio/pieces.js'
import type { AnswerHead } from './chat.js'
import { finishReasons, logprobsBody, tokenBody, usageBody } from './chat-values.js'

interface ChunkOptions {
  /** How many. */
  readonly replies: number
  readonly spoken: boolean
  /** Whether a reply may consist of calls alone: such a one has no content. */
  readonly mayCall: boolean
  /** Whether the tokens are told in a chunk of their own, which comes last. */
  readonly withUsage: boolean
}

/**
 * The first chunk of each reply, with the role, comes when the conversation is read; the id of a spoken one, which
 * carries the transcript, when that is complete.
 */
export async function* chunks(
  events: AsyncIterable<ChatEvent>,
  head: AnswerHead,
  { replies, withUsage, ...options }: ChunkOptions,
): AsyncGenerator<object> {
  const chunk = (choices: object[], usage: object | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    service_tier: 'default',
    system_fingerprint: null,
    ...(withUsage ? { usage } : {}),
  })
  const written = Array.from({ length: replies }, (_, index) => new ReplyChunks(index, head.created, options))
  for await (const event of events)
    if (event.kind === 'start') for (const reply of written) yield chunk([reply.first()])
    else if (event.kind === 'usage') {
      if (withUsage) yield chunk([], usageBody(event.usage))
    } else for (const choice of written[event.choice]!.next(event)) yield chunk([choice])
}

/** One reply's entries in the `choices` of the chunks. */
class ReplyChunks {
  private transcript = ''
  private begun = false
  private calls = 0
  private readonly sound = new Base64Pieces()

  /** @param created in seconds since 1970 */
  constructor(
    private readonly index: number,
    private readonly created: number,
    private readonly options: Pick<ChunkOptions, 'spoken' | 'mayCall'>,
  ) {}

  first(): object {
    const { spoken, mayCall } = this.options
    return this.part({ role: 'assistant', content: spoken || mayCall ? null : '', refusal: null })
  }

  *next(event: Exclude<ChatEvent, { kind: 'start' | 'usage' }>): Generator<object> {
    switch (event.kind) {
      case 'text': {
        const { text, logprobs = [] } = event
        yield this.part(text === '' ? {} : this.text(text), logprobsBody(logprobs.map(tokenBody)))
        break
      }
      case 'audio':
        for (const data of this.sound.push(event.samples)) yield this.part(this.audio({ data }))
        break
      case 'call': {
        this.calls++
        const { id, name } = event
        yield this.part(this.call(event.call, { id, type: 'function', function: { name, arguments: '' } }))
        break
      }
      case 'arguments':
        yield this.part(this.call(event.call, { function: { arguments: event.text } }))
        break
      case 'end':
        yield* this.last()
        yield this.part({}, null, finishReasons[event.reason])
    }
  }

  /** What is left when all is said. */
  private *last(): Generator<object> {
    const { spoken, mayCall } = this.options
    if (!this.begun && this.calls > 0) return
    if (spoken) {
      const data = this.sound.end()
      if (data) yield this.part(this.audio({ data }))
      yield this.part(this.audio({ id: replyId(this.transcript), expires_at: expiry(this.created) }))
    } else if (!this.begun && mayCall) yield this.part({ content: '' })
  }

  private text(text: string): object {
    this.transcript += text
    if (this.options.spoken) return this.audio({ transcript: text })
    this.begun = true
    return { content: text }
  }

  private audio(delta: object): object {
    const whole = this.begun ? delta : { transcript: '', data: '', ...delta }
    this.begun = true
    return { audio: whole }
  }

  private call(index: number, delta: object): object {
    return { tool_calls: [{ index, ...delta }] }
  }

  private part(delta: object, logprobs: object | null = null, finish_reason: string | null = null): object {
    return { index: this.index, delta, logprobs, finish_reason }
  }
}
