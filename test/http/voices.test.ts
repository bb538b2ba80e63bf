import assert from 'node:assert/strict'
import { openai, send } from './client.js'
import { type Scripted, startScripted } from './scripted.js'

describe('GET /v1/audio/voices and /v1/audio/models', () => {
  let service: Scripted
  before(async () => {
    service = await startScripted()
  })
  after(() => service?.close())

  it('lists the names to speak with, every one of which speaks', async () => {
    const { voices } = JSON.parse((await send(service, '/v1/audio/voices')).text) as {
      voices: { id: string; name: string }[]
    }
    const ids = voices.map(({ id }) => id)
    assert.ok(ids.includes('af_alloy') && new Set(ids).size === ids.length)
    for (const { id: voice, name } of voices) {
      assert.equal(name, voice)
      const sound = await openai(service).audio.speech.create({ model: 'any', input: 'Hi.', voice })
      assert.equal(sound.status, 200)
    }
  })

  it('names the model that speaks', async () => {
    assert.deepEqual(JSON.parse((await send(service, '/v1/audio/models')).text), {
      models: [{ id: 'mouth', name: 'mouth' }],
    })
  })
})
