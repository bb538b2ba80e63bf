import assert from 'node:assert/strict'
import { ServiceError } from '#src/errors.js'
import { replyOptions } from '#src/http/chat-options.js'
import type { ChatBody } from '#src/http/chat-schema.js'

const sizes = { contextTokens: 8192, vocabulary: 1000 }
const options = (more: Partial<ChatBody>) => {
  const { ...all } = replyOptions({ messages: [], ...more }, 512, sizes)
  return JSON.parse(JSON.stringify(all)) as typeof all
}
function refused(more: Partial<ChatBody>, param: string, says: RegExp): void {
  assert.throws(
    () => options(more),
    (error: unknown) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual([error.code, error.param], ['invalid_value', param])
      assert.match(error.message, says)
      return true
    },
  )
}

describe('http/chat-options', () => {
  it('asks for one reply of the usual length where the request says nothing, or null', () => {
    const usual = { choices: 1, maxTokens: 512 }
    assert.deepEqual(options({}), usual)
    const nulls = { n: null, temperature: null, stop: null, logit_bias: null, logprobs: null, seed: null }
    assert.deepEqual(options({ ...nulls, response_format: null, reasoning_effort: null }), usual)
  })

  it('passes on every number, zero, too', () => {
    assert.deepEqual(
      options({
        n: 3,
        max_tokens: 9,
        max_completion_tokens: 8,
        temperature: 0,
        top_p: 0,
        frequency_penalty: 0,
        presence_penalty: -2,
        logit_bias: { 999: -100 },
        seed: 0,
        stop: 'END',
        reasoning_effort: 'low',
      }),
      {
        choices: 3,
        maxTokens: 8,
        temperature: 0,
        topP: 0,
        frequencyPenalty: 0,
        presencePenalty: -2,
        logitBias: { 999: -100 },
        seed: 0,
        stop: ['END'],
        reasoningEffort: 'low',
      },
    )
    assert.deepEqual(options({ stop: ['a', 'b'] }).stop, ['a', 'b'])
  })

  it('asks for probabilities only where the request does', () => {
    assert.equal(options({ logprobs: true }).topLogprobs, 0)
    assert.equal(options({ logprobs: true, top_logprobs: 20 }).topLogprobs, 20)
    assert.equal(options({ logprobs: false, top_logprobs: 0 }).topLogprobs, undefined)
  })

  it('knows the forms of a reply', () => {
    const schema = { type: 'object', properties: {} }
    const form = (json_schema: object) =>
      options({ response_format: { type: 'json_schema', json_schema: { name: 'n', ...json_schema } } }).format
    assert.deepEqual(form({ schema }), { kind: 'schema', schema })
    assert.deepEqual(form({}), { kind: 'json' })
    assert.deepEqual(options({ response_format: { type: 'json_object' } }).format, { kind: 'json' })
    assert.equal(options({ response_format: { type: 'text' } }).format, undefined)
  })

  it('refuses tokens that are not there, schemas that are too long, and more probabilities than fit', () => {
    refused({ logit_bias: { 1: 1, 1000: 1 } }, 'logit_bias', /no token 1000; the model has 1000/)
    const long = { description: 'x'.repeat(140_000) }
    refused(
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: long } } },
      'response_format.json_schema.schema',
      /the limit is 131072/,
    )
    refused(
      { n: 128, logprobs: true, top_logprobs: 20, max_tokens: 1_000_000 },
      'logprobs',
      /128 replies of up to 8192 tokens with 20 .* the limit is 262144/,
    )
    options({ logprobs: true, top_logprobs: 20, max_tokens: 1_000_000 })
    options({ n: 100, logprobs: true, max_tokens: 1000 })
    options({ n: 128, max_tokens: 1_000_000 })
  })
})
