/** The assistant's events folded into one `chat.completion`. */
import type { ChatEvent, Usage } from '../assistant/chat.js'
import { expiry, replyId } from '../assistant/reply-id.js'
import { encodeReply, type ReplyFormat } from '../audio/encode.js'
import type { AnswerHead } from './chat.js'

/** @param sound how to encode what is spoken; null for a written reply */
export async function completion(
  events: AsyncIterable<ChatEvent>,
  head: AnswerHead,
  sound: { readonly format: ReplyFormat; readonly sampleRate: number; readonly signal: AbortSignal } | null,
): Promise<object> {
  const { text, samples, reason, usage } = await folded(events)
  const audio = sound && {
    id: replyId(text),
    data: (await encodeReply(samples, sound.sampleRate, sound.format, sound.signal)).toString('base64'),
    expires_at: expiry(head.created),
    transcript: text,
  }
  return {
    ...head,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: audio ? null : text,
          refusal: null,
          annotations: [],
          ...(audio ? { audio } : {}),
        },
        logprobs: null,
        finish_reason: reason,
      },
    ],
    usage: usageBody(usage),
    service_tier: 'default',
    system_fingerprint: null,
  }
}

async function folded(events: AsyncIterable<ChatEvent>) {
  let text = ''
  const samples: Float32Array[] = []
  for await (const event of events)
    if (event.kind === 'text') text += event.text
    else if (event.kind === 'audio') samples.push(event.samples)
    else if (event.kind === 'end') return { text, samples, reason: event.reason, usage: event.usage }
  throw new Error('the reply ended without its last event')
}

export function usageBody({ prompt, completion }: Usage): object {
  const prompt_tokens = prompt.text + prompt.audio
  const completion_tokens = completion.text + completion.audio
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { audio_tokens: prompt.audio, cached_tokens: 0, text_tokens: prompt.text },
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: completion.audio,
      reasoning_tokens: 0,
      rejected_prediction_tokens: 0,
      text_tokens: completion.text,
    },
  }
}
