import assert from 'node:assert/strict'
import { OpenAI } from 'openai'
import { ServiceError } from '#src/errors.js'
import { ModelNames } from '#src/http/models.js'
import { type Service, sharedService } from '../service.js'
import { openai, send } from './client.js'

const names = { whisper: 'ears', llama: 'org/head', kokoro: 'mouth' }

describe('GET /v1/models', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })

  it("lists the loaded models to OpenAI's client, and describes each", async () => {
    const models = []
    for await (const model of openai(service).models.list()) models.push(model)
    assert.deepEqual(models.map(({ id }) => id).sort(), [
      'kokoro-82m',
      'smollm2-135m-instruct',
      'whisper-base',
    ])
    for (const model of models) {
      assert.equal(model.object, 'model')
      assert.ok(Number.isInteger(model.created) && model.owned_by.length > 0)
      assert.deepEqual(await openai(service).models.retrieve(model.id), model)
    }
  })

  it('takes any name, with a slash, too', async () => {
    for (const path of ['/v1/models/org/name', '/v1/models/org%2Fname'])
      assert.equal(JSON.parse((await send(service, path)).text).id, 'org/name')
  })

  it('knows only its own where names are strict', () => {
    const strict = new ModelNames(names, true)
    strict.check('llama', 'org/head')
    strict.check('llama', null)
    const missing = (error: unknown) =>
      error instanceof ServiceError && error.code === 'model_not_found' && error.row.http === 404
    for (const asked of ['ears', 'gpt-4o']) assert.throws(() => strict.check('llama', asked), missing)
    assert.throws(() => strict.one('gpt-4o'), missing)
    assert.ok(strict.one('org/head'))
    new ModelNames(names, false).check('llama', 'gpt-4o')
  })

  it('has no other method', async () => {
    const { status, headers } = await send(service, '/v1/models', undefined, { method: 'DELETE' })
    assert.deepEqual([status, headers.get('allow')], [405, 'GET, HEAD, OPTIONS'])
    assert.ok(OpenAI)
  })
})
