import assert from 'node:assert/strict'
import { decodeRecording } from '#src/audio/decode.js'
import { inspectWav } from '#src/audio/wav.js'
import { ServiceError } from '#src/errors.js'
import { chunk, extensibleBody, fmt, riff, wav } from './wav-bytes.js'

/** Marsaglia's xorshift32: the same mutations on every machine. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const data = Buffer.from(Array.from({ length: 480 }, (_, i) => (i * 89) & 0xff))
const seeds: readonly Buffer[] = [
  wav(data),
  wav(data, { channels: 2 }),
  wav(data, { tag: 3, bits: 32 }),
  riff([fmt({ bits: 24 }), chunk('LIST', Buffer.from('INFOx')), chunk('data', data), chunk('id3 ', data)]),
  riff([chunk('fmt ', extensibleBody({ channels: 2 })), chunk('data', data)]),
]
const sizes = [0, 1, 2, 7, 8, 16, 40, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_fffe, 0xffff_ffff]

function mutate(random: (below: number) => number): Buffer {
  const bytes = Buffer.from(seeds[random(seeds.length)]!)
  const header = 100
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(header)
    const kind = random(4)
    if (kind === 0) bytes[at] = random(256)
    else if (kind === 1) bytes[at]! ^= 1 << random(8)
    else if (kind === 2) bytes.writeUInt32LE(sizes[random(sizes.length)]!, at & ~3)
    else bytes.copyWithin(at, random(header), header)
  }
  return random(4) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
}

describe('audio/wav, fuzzed', () => {
  it('answers 2000 mutated headers with samples or a ServiceError, and allocates nothing absurd', async () => {
    const random = seeded(20_240_607)
    const start = process.memoryUsage().arrayBuffers
    let accepted = 0
    const codes = new Set<string>()
    for (let i = 0; i < 2000; i++) {
      const bytes = mutate(random)
      const context = `mutation ${i}: ${bytes.subarray(0, 100).toString('hex')}`
      try {
        const info = inspectWav(bytes, 'audio')
        const dataBytes = (info.frames * info.channels * info.bitsPerSample) / 8
        assert.ok(dataBytes > 0 && info.dataOffset + dataBytes <= bytes.length, context)
        const samples = await decodeRecording(bytes, { maxSeconds: 60 }, 'audio')
        assert.equal(samples.length, Math.round((info.frames * 16000) / info.sampleRate), context)
        assert.ok(
          samples.every((value) => Math.abs(value) <= 1),
          context,
        )
        accepted++
      } catch (error) {
        if (!(error instanceof ServiceError)) throw new Error(context, { cause: error })
        assert.equal(error.param, 'audio', context)
        assert.ok(error.message.length < 200, context)
        codes.add(error.code)
      }
      // A converter's memory is 26 MB, and all conversions, one after the other, share one.
      assert.ok(process.memoryUsage().arrayBuffers - start < 60e6, context)
    }
    assert.ok(accepted > 100 && accepted < 1900, `${accepted} accepted`)
    assert.deepEqual([...codes], ['invalid_audio'])
  })

  it('answers every length of a truncated file', async () => {
    for (const seed of seeds)
      for (let length = 0; length < seed.length; length++) {
        try {
          inspectWav(seed.subarray(0, length), 'audio', { maxSeconds: 60 })
        } catch (error) {
          if (!(error instanceof ServiceError)) throw new Error(`${length} bytes`, { cause: error })
        }
      }
  })
})
