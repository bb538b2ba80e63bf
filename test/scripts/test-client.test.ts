import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../root.js'
import { type Service, sharedService } from '../service.js'

const run = promisify(execFile)
const client = join(root, 'scripts/test-client.js')

describe('scripts/test-client', () => {
  let service: Service
  let folder: string
  before(async () => {
    service = await sharedService()
    folder = mkdtempSync(join(tmpdir(), 'test-client-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('uses every endpoint, and saves what was spoken', async () => {
    const { stdout } = await run(process.execPath, [client, service.url], { cwd: folder })
    for (const says of [
      /^The service is ok/,
      /Its models are .*whisper-base/,
      /kokoro-82m speaks with \d\d voices, the first is alloy/,
      /It describes \d+ paths in OpenAPI 3\.1\.0/,
      /Three rivers, streamed: \S+/,
      /Transcribed after .* “How many days are there in a week\?”/,
      /the first words after .*, the first sound after /,
      /Asked to be brief/,
      /refused with 400/,
    ])
      assert.match(stdout, says)
    const saved = readdirSync(join(folder, 'replies')).sort()
    assert.deepEqual(saved, ['answer.wav', 'question.mp3', 'shorter.opus', 'streamed.pcm'])
    for (const file of saved) assert.ok(statSync(join(folder, 'replies', file)).size > 2000, file)
  })

  it('says in one line that no service answers', async () => {
    await assert.rejects(
      run(process.execPath, [client, 'http://127.0.0.1:9'], { cwd: folder }),
      (error: { code?: number; stderr?: string }) =>
        error.code === 1 && /^http:\/\/127\.0\.0\.1:9 does not answer .*\n$/.test(error.stderr ?? ''),
    )
  })
})
