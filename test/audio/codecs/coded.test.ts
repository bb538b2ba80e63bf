/** Recordings and replies in coded formats, through the codecs' own thread. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeRecording } from '#src/audio/decode.js'
import { encodeReply, encodeSound, type ReplyFormat } from '#src/audio/encode.js'
import { looksLike } from '#src/audio/signatures.js'
import { root } from '../../root.js'

const clips = join(root, 'test/audio/clips')
const limits = { maxSeconds: 60 }
const signal = new AbortController().signal
const read = (name: string): Buffer => readFileSync(join(clips, name))
const decode = (bytes: Uint8Array, within = limits) => decodeRecording(bytes, within, 'audio', signal)
const coded = ['mp3', 'flac', 'ogg', 'opus', 'webm']
  .map((kind) => `coded/stripe.${kind}`)
  .concat('coded/flac.mp4')
const lossy = ['mp3', 'opus', 'aac'] as const

/** The highest correlation of two sounds at delays of `b` up to 2000 samples. */
function likeness(a: Float32Array, b: Float32Array): number {
  const norm = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))
  const scale = norm(a) * norm(b)
  let best = 0
  for (let delay = 0; delay < 2000; delay++) {
    let sum = 0
    for (let i = 0; i < a.length && i + delay < b.length; i++) sum += a[i]! * b[i + delay]!
    best = Math.max(best, sum / scale)
  }
  return best
}

/** A voice-like sound of 24 kHz: three tones that swell. */
const tones = (seconds: number): Float32Array =>
  Float32Array.from({ length: seconds * 24_000 }, (_, i) => {
    const t = i / 24_000
    const tone = (hertz: number) => Math.sin(2 * Math.PI * hertz * t)
    return 0.2 * (1 + Math.sin(5 * t)) * (tone(220) + tone(700) / 2 + tone(1900) / 4)
  })

async function* inPieces(samples: Float32Array, length: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.slice(at, at + length)
}

describe('audio/codecs', () => {
  let original: Float32Array
  before(async () => {
    original = await decode(read('spk1_snt4.wav'))
  })

  for (const name of coded)
    it(`decodes ${name} to what was recorded`, async () => {
      const samples = await decode(read(name))
      assert.ok(
        samples.length >= original.length && samples.length < original.length + 3000,
        `${samples.length}`,
      )
      assert.ok(likeness(original, samples) > (/flac/.test(name) ? 0.9999 : 0.95), name)
      assert.ok(samples.every((value) => value >= -1 && value <= 1))
    })

  it('says of what it can not decode what it is', async () => {
    for (const [bytes, says] of [
      [read('coded/stripe.m4a'), /^audio: the recording looks like MP4 or M4A; it holds aac; .*mp3, flac/],
      [Buffer.from('FORM\0\0\0\x10AIFFCOMM'), /^audio: the recording looks like AIFF; it is in no format/],
      [Buffer.from('hello, this is text'), /^audio: it is in no format that this service knows$/],
    ] as const)
      await assert.rejects(decode(bytes), (error: Error & { code?: string; param?: string }) => {
        assert.deepEqual([error.code, error.param], ['invalid_audio', 'audio'])
        assert.match(error.message, says)
        return true
      })
  })

  it('lives on whatever a damaged file holds', async () => {
    let seed = 1
    const random = (below: number) => {
      seed = (seed * 48_271) % 0x7fff_ffff
      return seed % below
    }
    for (const name of coded)
      for (let round = 0; round < 6; round++) {
        const bytes = Buffer.from(read(name))
        for (let i = 0; i < 1 + round * 10; i++) bytes[random(bytes.length)] = random(256)
        const cut = round % 2 ? bytes.subarray(0, random(bytes.length)) : bytes
        try {
          const samples = await decode(cut)
          assert.ok(samples.every((value) => value >= -1 && value <= 1))
        } catch (error) {
          const { code } = error as { code?: string }
          assert.ok(code === 'invalid_audio' || code === 'audio_too_long', `${name}: ${error}`)
        }
      }
    assert.ok((await decode(read('coded/stripe.mp3'))).length > 0)
  }).timeout(120_000)

  it('stops where a small file unfolds to more than is allowed', async () => {
    const hour = await encodeReply(
      Array.from({ length: 60 }, () => new Float32Array(24_000 * 10)),
      24_000,
      'opus',
      signal,
    )
    assert.ok(hour.length < 400_000)
    const before = process.memoryUsage().rss
    await assert.rejects(decode(hour, { maxSeconds: 5 }), { code: 'audio_too_long' })
    assert.ok(process.memoryUsage().rss - before < 100e6)
    await assert.rejects(
      decodeRecording(read('coded/stripe.flac'), { maxSeconds: 5, secondsBefore: 4 }, 'audio', signal),
      /^ServiceError: audio: the recording is too long behind the 4 s before it; the limit is 5 s/,
    )
  }).timeout(120_000)

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    const decoding = decodeRecording(read('coded/stripe.mp3'), limits, 'audio', controller.signal)
    controller.abort(new Error('enough'))
    await assert.rejects(decoding, /enough/)
  })

  for (const format of lossy)
    it(`encodes ${format}`, async () => {
      const sound = tones(2)
      const file = await encodeReply([sound.subarray(0, 7000), sound.subarray(7000)], 24_000, format, signal)
      assert.ok(file.length > 4000 && file.length < 30_000, `${file.length} bytes`)
      if (format === 'aac') {
        // Every frame has an ADTS header that leads to the next: 24 kHz, one channel.
        let frames = 0
        for (let at = 0; at < file.length; frames++) {
          assert.equal(file.readUInt16BE(at) & 0xfff6, 0xfff0)
          assert.equal((file[at + 2]! >> 2) & 15, 6)
          at += ((file[at + 3]! & 3) << 11) | (file[at + 4]! << 3) | (file[at + 5]! >> 5)
        }
        assert.ok(Math.abs(frames - (2 * 24_000) / 1024) < 4, `${frames} frames`)
        return
      }
      const back = await decode(file)
      assert.ok(Math.abs(back.length / 16_000 - 2) < 0.15)
      const expected = await decode(await encodeReply([sound], 24_000, 'wav', signal))
      assert.ok(likeness(expected, back) > 0.97)
    })

  it('encodes flac without a loss', async () => {
    const sound = tones(2)
    const back = await decode(await encodeReply([sound], 24_000, 'flac', signal))
    const expected = await decode(await encodeReply([sound], 24_000, 'wav', signal))
    assert.equal(back.length, expected.length)
    assert.ok(back.every((value, i) => Math.abs(value - expected[i]!) < 1e-4))
  })

  for (const [format, magic] of [
    ['wav', undefined],
    ['mp3', 'MP3'],
    ['flac', 'FLAC'],
    ['opus', 'Ogg (Opus or Vorbis)'],
    ['aac', 'AAC (ADTS)'],
    ['pcm16', undefined],
  ] as [ReplyFormat, string | undefined][])
    it(`sends ${format} while it is made, the same as at once`, async () => {
      const sound = tones(3)
      const whole = await encodeReply([sound], 24_000, format, signal)
      const parts: Uint8Array[] = []
      for await (const part of encodeSound(inPieces(sound, 9000), 24_000, format, signal)) parts.push(part)
      assert.ok(parts.length > 2, `${parts.length} parts`)
      const joined = Buffer.concat(parts)
      if (format === 'wav') {
        assert.deepEqual(joined.subarray(44), whole.subarray(44))
        assert.deepEqual(await decode(joined), await decode(whole))
      } else {
        assert.ok(Math.abs(joined.length - whole.length) < 64, `${joined.length} and ${whole.length} bytes`)
        assert.equal(looksLike(joined), magic)
      }
      assert.equal((await encodeReply([], 24_000, format, signal)).length, format === 'wav' ? 44 : 0)
    })

  it('gives an encoder up when its reader leaves', async () => {
    for await (const part of encodeSound(inPieces(tones(5), 9000), 24_000, 'mp3', signal)) {
      assert.ok(part.length > 0)
      break
    }
    assert.ok((await encodeReply([tones(1)], 24_000, 'mp3', signal)).length > 0)
  })
})
