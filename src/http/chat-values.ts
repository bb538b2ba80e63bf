/** The values that an answer and the chunks of one have in common, in OpenAI's form. */
import type { ChatEvent, Usage } from '../assistant/chat.js'

type TokenLogprobs = NonNullable<Extract<ChatEvent, { kind: 'text' }>['logprobs']>

export const finishReasons = {
  stop: 'stop',
  length: 'length',
  calls: 'tool_calls',
} as const satisfies Record<Extract<ChatEvent, { kind: 'end' }>['reason'], string>

export function usageBody({ prompt, completion }: Usage): object {
  const prompt_tokens = prompt.text + prompt.audio
  const completion_tokens = completion.text + completion.audio + completion.reasoning
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: {
      audio_tokens: prompt.audio,
      cached_tokens: prompt.cached,
      text_tokens: prompt.text,
    },
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: completion.audio,
      reasoning_tokens: completion.reasoning,
      rejected_prediction_tokens: 0,
      text_tokens: completion.text,
    },
  }
}

/** null where there are no tokens to tell of. */
export function logprobsBody(content: readonly object[]): object | null {
  return content.length === 0 ? null : { content, refusal: null }
}

export function tokenBody({ top, ...token }: TokenLogprobs[number]): object {
  return { ...token, top_logprobs: top }
}
