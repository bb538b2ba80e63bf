/// <reference path="../../src/audio/node-wav.d.ts" />
import assert from 'node:assert/strict'
import * as nodeWav from 'node-wav'
import { decodeRecording } from '#src/audio/decode.js'
import { chunk, extensibleBody, fmt, pack, riff, wav } from './wav-bytes.js'

const decode = (bytes: Uint8Array): Promise<Float32Array> =>
  decodeRecording(bytes, { maxSeconds: 600 }, 'audio')

/** The bytes in an ArrayBuffer of their own: Node's small Buffers share one. */
const alone = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

const four = pack('s16', [0, 16384, -16384, -32768])
const fourDecoded = Float32Array.from([0, 0.5, -0.5, -1])

/** Each test first shows the fault of node-wav 0.0.2 (should one fail after an update: simplify decode.ts). */
describe('audio/decode, where node-wav 0.0.2 goes wrong', () => {
  it('a Buffer with an offset: node-wav finds nothing', async () => {
    const file = wav(four)
    const shifted = Buffer.concat([Buffer.alloc(1000), file]).subarray(1000)
    assert.equal(nodeWav.decode(shifted), undefined)
    assert.deepEqual(await decode(shifted), fourDecoded)
  })

  it('WAVE_FORMAT_EXTENSIBLE: node-wav throws', async () => {
    const file = riff([chunk('fmt ', extensibleBody()), chunk('data', four)])
    assert.throws(() => nodeWav.decode(alone(file)), /Unsupported format/)
    assert.deepEqual(await decode(file), fourDecoded)
  })

  it('a LIST chunk of odd length: node-wav forgets its pad byte, and finds nothing or throws', async () => {
    const list = chunk('LIST', Buffer.from('INFOx'))
    const behindFormat = riff([fmt(), list, chunk('data', four)])
    assert.equal(nodeWav.decode(alone(behindFormat)), undefined)
    assert.deepEqual(await decode(behindFormat), fourDecoded)

    const first = riff([list, fmt(), chunk('data', Buffer.alloc(32_000))])
    assert.throws(() => nodeWav.decode(alone(first)), RangeError)
    assert.deepEqual(await decode(first), new Float32Array(16_000))
  })

  it('a truncated file: node-wav makes samples up', async () => {
    const file = riff([fmt(), chunk('data', four, 16)])
    const made = nodeWav.decode(alone(file))?.channelData[0]
    assert.equal(made?.length, 8)
    await assert.rejects(decode(file), {
      code: 'invalid_audio',
      message: 'audio: the WAV is truncated: its data chunk claims 16 bytes, 8 are there',
    })
  })

  it('a claimed size: node-wav allocates for it (8.6 GB for the largest)', async () => {
    const eightMillion = riff([fmt(), chunk('data', four, 8_000_000)])
    assert.equal(nodeWav.decode(alone(eightMillion))?.channelData[0]?.length, 4_000_000)

    const largest = riff([fmt(), chunk('data', four, 0xffff_fffe)])
    const before = process.memoryUsage().arrayBuffers
    await assert.rejects(decode(largest), { code: 'audio_too_long' })
    await assert.rejects(decodeRecording(largest, { maxSeconds: 1e9 }, 'audio'), { code: 'invalid_audio' })
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
  })

  it('24-bit -1.0: node-wav says +1.0', async () => {
    const file = wav(pack('s24', [-8388608]), { bits: 24 })
    assert.deepEqual(nodeWav.decode(alone(file))?.channelData[0], Float32Array.of(8388608 / 8388607))
    assert.deepEqual(await decode(file), Float32Array.of(-1))
  })

  it('positive samples: node-wav divides them by 32767', async () => {
    const file = wav(pack('s16', [16384]))
    assert.notEqual(nodeWav.decode(alone(file))?.channelData[0]?.[0], 0.5)
    assert.deepEqual(await decode(file), Float32Array.of(0.5))
  })

  it('64-bit floats behind a 44-byte header: node-wav throws', async () => {
    const file = wav(pack('f64', [0.25]), { tag: 3, bits: 64 })
    assert.throws(() => nodeWav.decode(alone(file)), RangeError)
    assert.deepEqual(await decode(file), Float32Array.of(0.25))
  })
})
