/** The assistant's events folded into one `chat.completion`. */
import type { ChatEvent } from '../assistant/chat.js'
import { expiry, replyId } from '../assistant/reply-id.js'
import { encodeReply, type ReplyFormat } from '../audio/encode.js'
import type { AnswerHead } from './chat.js'
import { finishReasons, logprobsBody, tokenBody, usageBody } from './chat-values.js'

/** How to encode what is spoken. */
interface SoundOptions {
  readonly format: ReplyFormat
  readonly sampleRate: number
  readonly signal: AbortSignal
}

/**
 * @param replies how many there will be
 * @param sound null for written replies
 */
export async function completion(
  events: AsyncIterable<ChatEvent>,
  head: AnswerHead,
  replies: number,
  sound: SoundOptions | null,
): Promise<object> {
  const { choices, usage } = await folded(events, replies)
  return {
    ...head,
    object: 'chat.completion',
    choices: await Promise.all(choices.map((reply, index) => choiceBody(reply, index, head, sound))),
    usage,
    service_tier: 'default',
    system_fingerprint: null,
  }
}

class Reply {
  text = ''
  readonly samples: Float32Array[] = []
  readonly calls: { readonly id: string; readonly name: string; arguments: string }[] = []
  readonly logprobs: object[] = []
  finishReason = ''

  add(event: Exclude<ChatEvent, { kind: 'start' | 'usage' }>): void {
    switch (event.kind) {
      case 'text':
        this.text += event.text
        for (const token of event.logprobs ?? []) this.logprobs.push(tokenBody(token))
        break
      case 'audio':
        this.samples.push(event.samples)
        break
      case 'call':
        this.calls.push({ id: event.id, name: event.name, arguments: '' })
        break
      case 'arguments':
        this.calls[event.call]!.arguments += event.text
        break
      case 'end':
        this.finishReason = finishReasons[event.reason]
    }
  }
}

async function folded(
  events: AsyncIterable<ChatEvent>,
  replies: number,
): Promise<{ choices: Reply[]; usage: object }> {
  const choices = Array.from({ length: replies }, () => new Reply())
  for await (const event of events)
    if (event.kind === 'usage') return { choices, usage: usageBody(event.usage) }
    else if (event.kind !== 'start') choices[event.choice]!.add(event)
  throw new Error('the reply ended without its last event')
}

async function choiceBody(
  { text, samples, calls, logprobs, finishReason }: Reply,
  index: number,
  head: AnswerHead,
  sound: SoundOptions | null,
): Promise<object> {
  const audio = sound !== null &&
    (text !== '' || calls.length === 0) && {
      id: replyId(text),
      data: (await encodeReply(samples, sound.sampleRate, sound.format, sound.signal)).toString('base64'),
      expires_at: expiry(head.created),
      transcript: text,
    }
  const silent = sound !== null || (text === '' && calls.length > 0)
  return {
    index,
    message: {
      role: 'assistant',
      content: silent ? null : text,
      refusal: null,
      annotations: [],
      ...(audio ? { audio } : {}),
      ...(calls.length > 0 ? { tool_calls: calls.map(callBody) } : {}),
    },
    logprobs: logprobsBody(logprobs),
    finish_reason: finishReason,
  }
}

const callBody = ({ id, ...call }: Reply['calls'][number]) => ({ id, type: 'function', function: call })
