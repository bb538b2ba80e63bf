import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { type FailureCode, failures, ServiceError, SetupError } from '#src/errors.js'

const codes = Object.keys(failures) as FailureCode[]

describe('errors', () => {
  for (const code of codes)
    it(`${code} has a status, a type and a gRPC code that fit together`, () => {
      const { http, type, grpc, retryable = false } = new ServiceError(code, 'x').row
      assert.ok(Number.isInteger(http) && http >= 400 && http < 600, `status ${http}`)
      const expected =
        http >= 500 ? 'server_error' : http === 429 ? 'rate_limit_error' : 'invalid_request_error'
      assert.equal(type, expected)
      assert.ok(status[grpc] > status.OK, grpc)
      assert.equal(retryable, http === 429 || http === 503)
    })

  it('agree with the statuses that clients of OpenAI know', () => {
    const statuses = Object.fromEntries(codes.map((code) => [code, failures[code].http]))
    const { invalid_api_key, not_found, method_not_allowed, request_too_large } = statuses
    assert.deepEqual(
      [invalid_api_key, not_found, method_not_allowed, request_too_large],
      [401, 404, 405, 413],
    )
    const { unsupported_media_type, overloaded, shutting_down, server_error, ...others } = statuses
    assert.deepEqual([unsupported_media_type, overloaded, shutting_down, server_error], [415, 429, 503, 500])
    assert.equal(others.context_length_exceeded, 400)
  })

  it('cross a thread border whole', () => {
    const sent = new ServiceError('context_length_exceeded', '9000 tokens, but 8192 fit', 'messages')
    const received = ServiceError.fromWire(structuredClone(sent.toWire()))
    assert.ok(received instanceof ServiceError)
    const { code, message, param, row } = received
    assert.deepEqual({ code, message, param }, { code: sent.code, message: sent.message, param: 'messages' })
    assert.equal(row.http, 400)
    assert.equal(sent.toWire().stack, undefined, 'a fault of the request needs no stack')
  })

  it('keep the stack of a fault of the service across the border', () => {
    const bug = new TypeError('x is not a function')
    const received = ServiceError.fromWire(structuredClone(ServiceError.from(bug).toWire()))
    assert.equal(received.code, 'server_error')
    assert.equal(received.stack, bug.stack)
  })

  it('are made from any thrown value', () => {
    const own = new ServiceError('invalid_audio', 'cut', 'messages[0]')
    assert.equal(ServiceError.from(own), own)
    const bug = new RangeError('out of range')
    const wrapped = ServiceError.from(bug)
    assert.equal(wrapped.code, 'server_error')
    assert.equal(wrapped.message, 'out of range')
    assert.equal(wrapped.cause, bug)
    for (const thrown of ['text', 7, null, undefined, { a: 1 }, Symbol('s')]) {
      const error = ServiceError.from(thrown)
      assert.equal(error.code, 'server_error')
      assert.equal(error.message, String(thrown))
      assert.equal(error.param, null)
    }
    assert.equal(ServiceError.from(new SetupError('no engine')).code, 'server_error')
  })
})
