/** How replies are to be drawn, bounded and formed: the request's fields → what the assistant is asked. */
import type { ChatRequest } from '../assistant/chat.js'
import { ServiceError } from '../errors.js'
import type { ChatBody, ResponseFormat } from './chat-schema.js'
import { checkSchemaLength } from './chat-tools.js'

/** Facts of the language model, in tokens. */
export interface ModelSizes {
  readonly contextTokens: number
  readonly vocabulary: number
}

/** Of one answer: some 20 MB of JSON, which is written at once. One reply that fills a context of 8192 has fewer. */
const MOST_LOGPROBS = 2 ** 18

/**
 * @param maxTokens of a reply where the request sets no limit
 * @throws ServiceError naming the field that asks for too much
 */
export function replyOptions(
  body: ChatBody,
  maxTokens: number,
  sizes: ModelSizes,
): Omit<ChatRequest, 'messages' | 'voice' | 'intents' | 'maxSpeechCharacters'> {
  const options = {
    choices: body.n ?? 1,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? maxTokens,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    logitBias: body.logit_bias ?? undefined,
    seed: body.seed ?? undefined,
    stop: body.stop ? [body.stop].flat() : undefined,
    topLogprobs: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
    reasoningEffort: body.reasoning_effort ?? undefined,
    format: replyFormat(body.response_format),
  }
  checkBias(options.logitBias, sizes)
  checkLogprobs(options, sizes)
  return options
}

function replyFormat(format: ResponseFormat | null | undefined): ChatRequest['format'] {
  if (format?.type === 'json_object') return { kind: 'json' }
  if (format?.type !== 'json_schema') return undefined
  const { schema } = format.json_schema
  if (!schema) return { kind: 'json' }
  checkSchemaLength(schema, 'response_format.json_schema.schema')
  return { kind: 'schema', schema }
}

function checkBias(bias: ChatRequest['logitBias'], { vocabulary }: ModelSizes): void {
  const beyond = Object.keys(bias ?? {}).find((id) => Number(id) >= vocabulary)
  if (beyond !== undefined)
    throw new ServiceError(
      'invalid_value',
      `Invalid value for 'logit_bias': there is no token ${beyond.slice(0, 32)}; the model has ${vocabulary}, counted from 0.`,
      'logit_bias',
    )
}

function checkLogprobs(
  { choices, maxTokens, topLogprobs }: { choices: number; maxTokens: number; topLogprobs?: number },
  { contextTokens }: ModelSizes,
): void {
  if (topLogprobs === undefined) return
  const tokens = Math.min(maxTokens, contextTokens)
  const told = choices * tokens * (1 + topLogprobs)
  if (told > MOST_LOGPROBS)
    throw new ServiceError(
      'invalid_value',
      `Invalid value for 'logprobs': ${choices} replies of up to ${tokens} tokens with ${topLogprobs} alternatives each are ${told} probabilities; the limit is ${MOST_LOGPROBS}: lower 'n', 'top_logprobs' or 'max_completion_tokens'.`,
      'logprobs',
    )
}
