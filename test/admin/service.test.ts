import assert from 'node:assert/strict'
import { sharedService } from '../service.js'
import { AdminClient } from './client.js'

describe('the admin port of a running service', () => {
  let client: AdminClient
  before(async () => {
    client = new AdminClient((await sharedService()).adminPort)
  })
  after(() => client?.close())

  it('serves health, reflection and Info of the models that are loaded', async () => {
    assert.equal(await client.health(''), 'SERVING')
    assert.ok((await client.reflectedServices('v1')).includes('simpleaudio.admin.v1.AdminService'))
    const { version, runtime, models, requests } = await client.info()
    assert.deepEqual([version, runtime, requests], ['0.1.0', 'onnxruntime', 0])
    assert.deepEqual(
      models.map(({ name, family }) => [name, family]),
      [
        ['whisper-base', 'whisper'],
        ['smollm2-135m-instruct', 'llama'],
        ['kokoro-82m', 'kokoro'],
      ],
    )
    for (const { parameters, engineBytes, loadSeconds } of models)
      assert.ok(parameters > 60e6 && engineBytes > parameters / 2 && loadSeconds > 0)
  })
})
