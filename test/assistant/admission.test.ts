import assert from 'node:assert/strict'
import { Admission } from '#src/assistant/registry.js'
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
          `^${places.length} .* ${parallel} served \\(SLOTS\\) and ${waiting} waiting \\(MAX_WAITING\\)`,
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
