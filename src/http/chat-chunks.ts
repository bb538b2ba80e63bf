/**
 * The assistant's events as `chat.completion.chunk`s. Clients put them together by adding texts to texts and numbers to
 * numbers, so the role, the reply's id and its expiry are sent exactly once.
 */
import type { ChatEvent } from '../assistant/chat.js'
import { expiry, replyId } from '../assistant/reply-id.js'
import { Base64Pieces } from '../audio/pieces.js'
import type { AnswerHead } from './chat.js'
import { usageBody } from './chat-answer.js'

interface ChunkOptions {
  readonly spoken: boolean
  /** Whether the tokens are told in a chunk of their own, which comes last. */
  readonly withUsage: boolean
}

/**
 * The first chunk, with the role, comes when all recordings are heard; the id, which carries the transcript, when that
 * is complete.
 */
export async function* chunks(
  events: AsyncIterable<ChatEvent>,
  head: AnswerHead,
  { spoken, withUsage }: ChunkOptions,
): AsyncGenerator<object> {
  const chunk = (choices: object[], usage: object | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    service_tier: 'default',
    system_fingerprint: null,
    ...(withUsage ? { usage } : {}),
  })
  const part = (delta: object, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason }])
  const first = spoken ? { content: null, audio: { transcript: '', data: '' } } : { content: '' }
  const sound = new Base64Pieces()
  let begun = false
  let transcript = ''

  for await (const event of events) {
    if (!begun) yield part({ role: 'assistant', ...first, refusal: null })
    begun = true
    if (event.kind === 'text') {
      transcript += event.text
      yield part(spoken ? { audio: { transcript: event.text } } : { content: event.text })
    } else if (event.kind === 'audio') {
      for (const data of sound.push(event.samples)) yield part({ audio: { data } })
    } else if (event.kind === 'end') {
      const data = sound.end()
      if (data) yield part({ audio: { data } })
      if (spoken) yield part({ audio: { id: replyId(transcript), expires_at: expiry(head.created) } })
      yield part({}, event.reason)
      if (withUsage) yield chunk([], usageBody(event.usage))
    }
  }
}
