/** What OpenAI's API has and this service has not: said with a 400, never ignored. */
import { ServiceError } from '../errors.js'
import type { ChatBody } from './chat-schema.js'

/** Each field's rule: whether the request uses it, and what it must be instead. */
const rules: readonly [keyof ChatBody, (body: ChatBody) => boolean, string][] = [
  [
    'stream_options',
    (body) => Boolean(body.stream_options) && body.stream !== true,
    "'stream_options' is only allowed when 'stream' is true",
  ],
  ['n', (body) => (body.n ?? 1) > 1, "'n' must be 1"],
  ['tools', (body) => Boolean(body.tools?.length), "'tools' are not supported"],
  ['functions', (body) => Boolean(body.functions?.length), "'functions' are not supported"],
  ['logprobs', (body) => body.logprobs === true, "'logprobs' must be false"],
  ['top_logprobs', (body) => Boolean(body.top_logprobs), "'top_logprobs' must be 0"],
  ['frequency_penalty', (body) => Boolean(body.frequency_penalty), "'frequency_penalty' must be 0"],
  ['presence_penalty', (body) => Boolean(body.presence_penalty), "'presence_penalty' must be 0"],
  ['logit_bias', (body) => Object.keys(body.logit_bias ?? {}).length > 0, "'logit_bias' must be empty"],
  [
    'response_format',
    (body) => (body.response_format?.type ?? 'text') !== 'text',
    "'response_format.type' must be 'text'",
  ],
  [
    'modalities',
    (body) => body.modalities?.includes('text') === false,
    '\'modalities\' must be ["text"] or ["text","audio"]',
  ],
]

/** What requests must keep to beside their schema, in words. */
export const unsupportedUses = rules.map(([, , words]) => words)

/** @throws ServiceError unsupported_value, naming the field */
export function refuseUnsupported(body: ChatBody): void {
  const broken = rules.find(([, uses]) => uses(body))
  if (broken) throw new ServiceError('unsupported_value', `Unsupported value: ${broken[2]}.`, broken[0])
}
