/** How many replies may be made and wait, as clients meet it. */
import assert from 'node:assert/strict'
import { Admission } from '#src/assistant/admission.js'
import { asked, post } from './client.js'
import { end, type Scripted, start, startScripted } from './scripted.js'

describe('http admission', () => {
  let service: Scripted
  const admission = new Admission(2, 2)
  before(async () => {
    service = await startScripted(admission)
  })
  after(() => service?.close())

  const ask = (n: number) => post(service, asked('Hi.', { n }))

  it('counts a request for n as n, until its answer is sent', async () => {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => (finish = resolve))
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    service.script = async function* ({ choices = 1 }) {
      yield start
      begin()
      await finished
      for (let choice = 0; choice < choices; choice++) yield end('stop', { choice })
    }
    const three = ask(3)
    await begun
    const { status, headers, error } = await ask(2)
    assert.deepEqual([status, error.code, headers.get('retry-after')], [429, 'overloaded', '1'])
    assert.match(error.message, /^4 replies .* 1 more .* 2 made at once \(SLOTS\) and 2 waiting/)
    const one = ask(1)
    while (service.asked.length < 2) await new Promise(setImmediate)
    assert.equal((await ask(1)).status, 429)
    finish()
    assert.deepEqual([(await three).status, (await one).status, (await ask(4)).status], [200, 200, 200])
    assert.equal((await ask(128)).status, 200, 'more than may be inside come alone')
    while (admission.size > 0) await new Promise(setImmediate)
  })
})
