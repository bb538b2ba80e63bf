import assert from 'node:assert/strict'
import { RateLimiter } from '#src/http/rate-limit.js'

describe('http/rate-limit', () => {
  it('lets so many through at once, then one each time that one has come back', () => {
    const limiter = new RateLimiter(60)
    for (let i = 59; i >= 0; i--)
      assert.deepEqual([limiter.take('a', 0).allowed, limiter.take('b', 0).left], [true, i])
    const refused = limiter.take('a', 500)
    assert.deepEqual([refused.allowed, refused.left, refused.next], [false, 0, 0.5])
    assert.ok(Math.abs(refused.full - 59.5) < 1e-9)
    assert.equal(limiter.take('a', 1000).allowed, true)
    assert.equal(limiter.take('a', 1001).allowed, false)
    assert.equal(limiter.take('a', 120_000).left, 59)
  })

  it('tells clients apart, and forgets those that come no more', () => {
    const limiter = new RateLimiter(1)
    for (let i = 0; i < 30_000; i++) assert.ok(limiter.take(`client ${i}`, 0).allowed)
    assert.equal(limiter.take('client 29999', 1).allowed, false)
    assert.ok(limiter.take('client 0', 1).allowed, 'the oldest was forgotten')
  })
})
