/** What requests can not ask for beside what their schema says: answered with a 400, never ignored. */
import { ServiceError } from '../errors.js'
import type { ChatBody } from './chat-schema.js'

const spoken = (body: ChatBody) => body.modalities?.includes('audio') === true

/** Each field's rule: whether the request breaks it, and what it says. */
const rules: readonly [keyof ChatBody, (body: ChatBody) => boolean, string][] = [
  [
    'stream_options',
    (body) => Boolean(body.stream_options) && body.stream !== true,
    "'stream_options' is only allowed when 'stream' is true",
  ],
  [
    'top_logprobs',
    (body) => Boolean(body.top_logprobs) && body.logprobs !== true,
    "'top_logprobs' is only allowed when 'logprobs' is true",
  ],
  [
    'modalities',
    (body) => body.modalities?.includes('text') === false,
    '\'modalities\' must be ["text"] or ["text","audio"]',
  ],
  ['n', (body) => spoken(body) && (body.n ?? 1) > 1, "'n' must be 1 when the reply is spoken"],
  [
    'response_format',
    (body) => spoken(body) && (body.response_format?.type ?? 'text') !== 'text',
    "'response_format.type' must be 'text' when the reply is spoken",
  ],
  [
    'functions',
    (body) => Boolean(body.functions?.length),
    "'functions' are not supported: send them as 'tools'",
  ],
  [
    'function_call',
    (body) => Boolean(body.function_call),
    "'function_call' is not supported: use 'tool_choice'",
  ],
  [
    'web_search_options',
    (body) => Boolean(body.web_search_options),
    "'web_search_options' are not supported: nothing is looked up elsewhere",
  ],
  ['moderation', (body) => Boolean(body.moderation), "'moderation' is not supported"],
]

/** What requests must keep to beside their schema, in words. */
export const unsupportedUses = rules.map(([, , words]) => words)

/** @throws ServiceError unsupported_value, naming the field */
export function refuseUnsupported(body: ChatBody): void {
  const broken = rules.find(([, breaks]) => breaks(body))
  if (broken) throw new ServiceError('unsupported_value', `Unsupported value: ${broken[2]}.`, broken[0])
}
