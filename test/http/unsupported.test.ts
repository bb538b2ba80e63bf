import assert from 'node:assert/strict'
import type { ServiceError } from '#src/errors.js'
import { type ChatBody, chatSchema } from '#src/http/chat-schema.js'
import { refuseUnsupported } from '#src/http/unsupported.js'
import { validator } from '#src/http/validate.js'

const validate = validator<ChatBody>(chatSchema)
const request = (more: object) => validate({ messages: [{ role: 'user', content: 'Hi.' }], ...more })

describe('http/unsupported', () => {
  for (const [field, used, unused] of [
    ['stream_options', [{ include_usage: true }, {}], [null]],
    ['n', [2], [1, null]],
    ['tools', [[{ type: 'function' }]], [[], null]],
    ['functions', [[{ name: 'f' }]], [[]]],
    ['logprobs', [true], [false]],
    ['top_logprobs', [1], [0]],
    ['frequency_penalty', [0.5, -2], [0, null]],
    ['presence_penalty', [2], [0]],
    ['logit_bias', [{ 50256: -100 }], [{}, null]],
    ['response_format', [{ type: 'json_object' }, { type: 'json_schema' }], [{ type: 'text' }, null]],
    ['modalities', [['audio']], [['text'], ['text', 'audio'], null]],
  ] as const)
    it(`refuses ${field} where it would change the reply, and only there`, () => {
      for (const value of used)
        assert.throws(
          () => refuseUnsupported(request({ [field]: value })),
          (error: ServiceError) =>
            error.code === 'unsupported_value' &&
            error.param === field &&
            error.message.includes(`'${field}`),
        )
      for (const value of unused) refuseUnsupported(request({ [field]: value }))
    })
})
