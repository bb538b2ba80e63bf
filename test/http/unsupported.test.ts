import assert from 'node:assert/strict'
import type { ServiceError } from '#src/errors.js'
import { type ChatBody, chatSchema } from '#src/http/chat-schema.js'
import { refuseUnsupported, unsupportedUses } from '#src/http/unsupported.js'
import { validator } from '#src/http/validate.js'

const validate = validator<ChatBody>(chatSchema)
const request = (more: object) => validate({ messages: [{ role: 'user', content: 'Hi.' }], ...more })

const spoken = { modalities: ['text', 'audio'] }
const json = { response_format: { type: 'json_object' } }

/** What requests break which rule, and what is next to it and fine. */
const rows: [field: string, broken: object[], fine: object[]][] = [
  [
    'stream_options',
    [{ stream_options: { include_usage: true } }, { stream_options: {}, stream: false }],
    [{ stream_options: null }, { stream_options: {}, stream: true }],
  ],
  [
    'top_logprobs',
    [{ top_logprobs: 1 }, { top_logprobs: 20, logprobs: false }],
    [{ top_logprobs: 0 }, { top_logprobs: 20, logprobs: true }],
  ],
  ['modalities', [{ modalities: ['audio'] }], [{ modalities: ['text'] }, spoken, { modalities: null }]],
  ['n', [{ ...spoken, n: 2 }], [{ n: 2 }, { ...spoken, n: 1 }]],
  [
    'response_format',
    [{ ...spoken, ...json }],
    [json, { ...spoken, response_format: { type: 'text' } }, { ...spoken, response_format: null }],
  ],
  ['functions', [{ functions: [{ name: 'f' }] }], [{ functions: [] }]],
  ['function_call', [{ function_call: 'auto' }], [{ function_call: null }]],
  ['web_search_options', [{ web_search_options: {} }], [{ web_search_options: null }]],
  ['moderation', [{ moderation: { model: 'omni' } }], [{ moderation: null }]],
]

describe('http/unsupported', () => {
  for (const [field, broken, fine] of rows)
    it(`refuses ${field} where it would change the reply, and only there`, () => {
      for (const more of broken)
        assert.throws(
          () => refuseUnsupported(request(more)),
          (error: ServiceError) =>
            error.code === 'unsupported_value' &&
            error.param === field &&
            error.message.includes(`'${field}`),
          JSON.stringify(more),
        )
      for (const more of fine) refuseUnsupported(request(more))
    })

  it('has a test for each rule', () => {
    assert.equal(rows.length, unsupportedUses.length)
  })
})
