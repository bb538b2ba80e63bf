import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readVoice } from '#src/checkpoint/voices.js'
import { checkpoint } from '../root.js'
import { temporaryFolder } from './writers.js'

describe('checkpoint/voices', () => {
  const folder = temporaryFolder()
  const path = join(checkpoint('kokoro-82m'), 'voices', 'af_heart.bin')

  it('reads a voice as 510 rows of 256', () => {
    const voice = readVoice(path)
    assert.equal(voice.length, 510 * 256)
    const bytes = readFileSync(path)
    for (const at of [0, 128, 256, 510 * 256 - 1]) assert.equal(voice[at], bytes.readFloatLE(at * 4))
    assert.ok(voice.every((value) => Math.abs(value) < 10))
  })

  it('refuses a voice of another size, or none', () => {
    const short = folder.write('short.bin', readFileSync(path).subarray(4))
    assert.throws(() => readVoice(short), {
      name: 'SetupError',
      message: /short\.bin has 522236 bytes.* 522240/,
    })
    assert.throws(() => readVoice(`${folder.path}/none.bin`), {
      name: 'SetupError',
      message: /none\.bin can not/,
    })
    assert.throws(() => readVoice(folder.path), { name: 'SetupError', message: /is not a file/ })
  })
})
