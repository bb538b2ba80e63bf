import assert from 'node:assert/strict'
import { Admission } from '#src/assistant/registry.js'
import { ServiceError } from '#src/errors.js'

const refusal = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof ServiceError && error.code === code && message.test(error.message)

describe('assistant/registry Admission', () => {
  it('lets one be served and as many wait as the bound says, and refuses the next', () => {
    for (const bound of [0, 1, 5]) {
      const admission = new Admission(bound)
      const places = Array.from({ length: bound + 1 }, () => admission.enter())
      assert.equal(admission.size, bound + 1)
      assert.throws(() => admission.enter(), refusal('overloaded', /MAX_WAITING/))
      assert.equal(admission.size, bound + 1)
      places[0]![Symbol.dispose]()
      admission.enter()
      assert.throws(() => admission.enter(), refusal('overloaded', new RegExp(`limit is ${bound} waiting`)))
    }
  })

  it('gives a place back once, however often it is disposed of', () => {
    const admission = new Admission(1)
    const [first, second] = [admission.enter(), admission.enter()]
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    assert.equal(admission.size, 1)
    second[Symbol.dispose]()
    assert.equal(admission.size, 0)
  })

  it('gives a place back when the work in it fails', () => {
    const admission = new Admission(0)
    const work = () => {
      using _place = admission.enter()
      throw new Error('broken')
    }
    assert.throws(work, /broken/)
    assert.equal(admission.size, 0)
  })

  it('refuses everybody once closed, and lets those inside finish', () => {
    const admission = new Admission(3)
    const place = admission.enter()
    admission.close()
    assert.throws(() => admission.enter(), refusal('shutting_down', /shutting down/))
    assert.equal(admission.size, 1)
    place[Symbol.dispose]()
    assert.equal(admission.size, 0)
    assert.throws(() => admission.enter(), refusal('shutting_down', /./))
  })
})
