import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { filesIn } from '#src/runtime/store.js'
import { engines, type Service, sharedService } from '../service.js'

interface Health {
  status: string
  version: string
  runtime: string
  models: { name: string; family: string; parameters: number; engine_bytes: number; load_seconds: number }[]
  uptime_seconds: number
}

describe('GET /health', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })

  it('tells what runs and how large it is', async () => {
    const response = await fetch(`${service.url}/health`)
    assert.equal(response.status, 200)
    assert.ok(response.headers.get('x-request-id'))
    const { status, version, runtime, models, uptime_seconds } = (await response.json()) as Health
    assert.deepEqual([status, version, runtime], ['ok', '0.1.0', 'onnxruntime'])
    assert.ok(uptime_seconds >= 0 && uptime_seconds < process.uptime())
    assert.deepEqual(
      models.map(({ name, family }) => [name, family]),
      [
        ['whisper-base', 'whisper'],
        ['smollm2-135m-instruct', 'llama'],
        ['kokoro-82m', 'kokoro'],
      ],
    )
    for (const { name, parameters, engine_bytes, load_seconds } of models) {
      const folder = join(engines, 'onnxruntime', name)
      const files = filesIn(folder).filter((file) => file !== 'manifest.json')
      assert.equal(
        engine_bytes,
        files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0),
      )
      assert.ok(parameters > 60e6 && parameters < 150e6, `${name} has ${parameters} parameters`)
      assert.ok(load_seconds > 0 && load_seconds < 60)
    }
  })

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${service.url}/health`, { method: 'HEAD' })
    assert.equal(response.status, 200)
    assert.equal(await response.text(), '')
  })
})
