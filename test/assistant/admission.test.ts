import assert from 'node:assert/strict'
import { Admission } from '#src/assistant/admission.js'
import { ServiceError } from '#src/errors.js'

const refusal = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof ServiceError && error.code === code && message.test(error.message)

describe('assistant/registry Admission', () => {
  it('lets as many be served and as many wait as the bounds say, and refuses the next', () => {
    for (const [parallel, waiting] of [
      [1, 0],
      [1, 5],
      [8, 0],
      [3, 2],
    ] as const) {
      const admission = new Admission(parallel, waiting)
      const places = Array.from({ length: parallel + waiting }, () => admission.enter())
      const refused = refusal(
        'overloaded',
        new RegExp(
          `^${places.length} .* ${parallel} made at once \\(SLOTS\\) and ${waiting} waiting \\(MAX_WAITING\\)`,
        ),
      )
      assert.throws(() => admission.enter(), refused)
      assert.equal(admission.size, places.length)
      places[0]![Symbol.dispose]()
      admission.enter()
      assert.throws(() => admission.enter(), refused)
    }
  })

  it('gives a place back once, however often it is disposed of', () => {
    const admission = new Admission(1, 1)
    const [first, second] = [admission.enter(), admission.enter()]
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    assert.equal(admission.size, 1)
    second[Symbol.dispose]()
    assert.equal(admission.size, 0)
  })

  it('counts nothing for a request that has left before it is known what it asks for', () => {
    const admission = new Admission(2, 1)
    const left = admission.enter()
    left[Symbol.dispose]()
    left.widen(3)
    left[Symbol.dispose]()
    const three = Array.from({ length: 3 }, () => admission.enter())
    assert.equal(admission.size, three.length)
  })

  it('counts the replies that a request asks for, and gives them all back', () => {
    const admission = new Admission(4, 2)
    const [one, many] = [admission.enter(), admission.enter()]
    one.widen(1)
    many.widen(4)
    assert.equal(admission.size, 2, 'requests')
    assert.throws(() => one.widen(3), refusal('overloaded', /^5 replies .* 2 more/))
    one.widen(2)
    assert.throws(() => admission.enter(), refusal('overloaded', /^6 replies .* 1 more/))
    many[Symbol.dispose]()
    admission.enter().widen(4)
    assert.throws(() => admission.enter(), refusal('overloaded', /./))
  })

  it('lets a request that asks for more replies than may be inside in when it is alone', () => {
    const admission = new Admission(2, 1)
    const one = admission.enter()
    const large = admission.enter()
    assert.throws(() => large.widen(128), refusal('overloaded', /^2 replies .* 2 more/))
    one[Symbol.dispose]()
    large.widen(128)
    assert.throws(() => admission.enter(), refusal('overloaded', /^3 replies/))
    large[Symbol.dispose]()
    for (let i = 0; i < 3; i++) admission.enter()
  })

  it('gives a place back when the work in it fails', () => {
    const admission = new Admission(1, 0)
    const work = () => {
      using _place = admission.enter()
      throw new Error('broken')
    }
    assert.throws(work, /broken/)
    assert.equal(admission.size, 0)
  })

  it('refuses everybody once closed, and lets those inside finish', () => {
    const admission = new Admission(1, 3)
    const place = admission.enter()
    admission.close()
    assert.throws(() => admission.enter(), refusal('shutting_down', /shutting down/))
    assert.equal(admission.size, 1)
    place[Symbol.dispose]()
    assert.equal(admission.size, 0)
    assert.throws(() => admission.enter(), refusal('shutting_down', /./))
  })
})
