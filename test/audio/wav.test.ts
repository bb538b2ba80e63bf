import assert from 'node:assert/strict'
import { type AudioLimits, inspectWav } from '#src/audio/wav.js'
import { ServiceError } from '#src/errors.js'
import { chunk, extensibleBody, fmt, formatBody, pack, riff, u32, wav } from './wav-bytes.js'

const param = 'messages[0].content[1].input_audio.data'
const four = pack('s16', [1, -2, 3, -4])

function assertRefused(
  bytes: Uint8Array,
  message: string,
  code = 'invalid_audio',
  limits: AudioLimits = { maxSeconds: 1e6 },
): void {
  assert.throws(
    () => inspectWav(bytes, param, limits),
    (error) => {
      assert.ok(error instanceof ServiceError, String(error))
      assert.deepEqual([error.code, error.param, error.message], [code, param, `${param}: ${message}`])
      return true
    },
  )
}

describe('audio/wav', () => {
  describe('accepts', () => {
    const encodings = [
      { tag: 1, bits: 8 },
      { tag: 1, bits: 16 },
      { tag: 1, bits: 24 },
      { tag: 1, bits: 32 },
      { tag: 3, bits: 32 },
      { tag: 3, bits: 64 },
    ]
    for (const { tag, bits } of encodings)
      for (const channels of [1, 2])
        for (const rate of [8000, 11025, 22050, 48000]) {
          const shape = { tag, bits, channels, rate }
          it(`${bits}-bit ${tag === 1 ? 'PCM' : 'float'}, ${channels} ch, ${rate} Hz, plain and extensible`, () => {
            const data = Buffer.alloc((3 * channels * bits) / 8)
            const expected = {
              format: tag === 1 ? 'pcm' : 'float',
              bitsPerSample: bits,
              channels,
              sampleRate: rate,
              frames: 3,
              dataOffset: 44,
            }
            assert.deepEqual(inspectWav(wav(data, shape), param), expected)
            const long = riff([chunk('fmt ', extensibleBody(shape)), chunk('data', data)])
            assert.deepEqual(inspectWav(long, param), { ...expected, dataOffset: 68 })
          })
        }

    it('chunks of odd length before and behind the samples', () => {
      const list = chunk('LIST', Buffer.from('INFOISFT\x05\0\0\0Lavf5'))
      assert.equal(list.length, 8 + 17 + 1)
      const info = inspectWav(riff([list, fmt(), list, chunk('data', four), list]), param)
      assert.deepEqual([info.frames, info.dataOffset], [4, 12 + 26 + 24 + 26 + 8])
    })

    it('8-bit samples of odd count, with and without their pad byte', () => {
      const file = wav(Buffer.alloc(3), { bits: 8 })
      assert.equal(inspectWav(file, param).frames, 3)
      assert.equal(inspectWav(file.subarray(0, -1), param).frames, 3)
    })

    it('a file inside a larger buffer', () => {
      const file = wav(four)
      const pool = Buffer.concat([Buffer.alloc(1001, 0xee), file, Buffer.alloc(99, 0xee)])
      assert.deepEqual(inspectWav(pool.subarray(1001, 1001 + file.length), param), inspectWav(file, param))
    })

    for (const riffSize of [0, 0xffff_ffff, undefined])
      for (const dataSize of [0, 0xffff_ffff])
        it(`streamed: RIFF size ${riffSize ?? 'true'}, data size ${dataSize}; a cut last frame is dropped`, () => {
          const body = Buffer.concat([four, Buffer.from([7])])
          const file = riff([fmt(), Buffer.concat([Buffer.from('data'), u32(dataSize), body])], riffSize)
          assert.equal(inspectWav(file, param).frames, 4)
        })

    for (const [writer, dataSize, riffSize] of [
      ['SoX', 0x7fff_f000, 0x7fff_f024],
      ['SoX, 24-bit stereo', 0x7fff_effa, 0x7fff_f036],
      ['arecord', 0x8000_0000, 0x8000_0024],
    ] as const)
      it(`the sizes that ${writer} writes to a pipe`, () => {
        const body = Buffer.concat([four, Buffer.from([7])])
        const file = riff([fmt(), Buffer.concat([Buffer.from('data'), u32(dataSize), body])], riffSize)
        assert.equal(inspectWav(file, param, { maxSeconds: 1 }).frames, 4)
      })

    it('a streamed RIFF size before a data chunk that knows its size', () => {
      for (const size of [0, 0xffff_ffff])
        assert.equal(
          inspectWav(riff([fmt(), chunk('data', four), chunk('LIST', four)], size), param).frames,
          4,
        )
    })

    it('a RIFF size that is off by a header, as some writers have it', () => {
      for (const off of [-4, 8]) {
        const file = wav(four)
        file.writeUInt32LE(file.length - 8 + off, 4)
        assert.equal(inspectWav(file, param).frames, 4)
      }
    })

    it('bytes behind the RIFF chunk, whatever they look like', () => {
      const file = Buffer.concat([wav(four), chunk('data', four)])
      assert.equal(inspectWav(file, param).frames, 4)
    })

    it('a recording of exactly the longest allowed duration', () => {
      const file = wav(Buffer.alloc(16000), { bits: 8, rate: 8000 })
      assert.equal(inspectWav(file, param, { maxSeconds: 2 }).frames, 16000)
    })
  })

  describe('names what is no WAV', () => {
    it('anything else', () => {
      const sentence = 'the recording does not start with RIFF'
      for (const bytes of ['x', 'RIF', 'hello, this is text', '\xff\x1f']) {
        assertRefused(Buffer.from(bytes, 'latin1'), sentence)
      }
    })
  })

  describe('refuses', () => {
    const data = chunk('data', four)
    const table: [string, Uint8Array, string][] = [
      ['no bytes', new Uint8Array(0), 'the recording is empty (0 bytes)'],
      ['a bare RIFF', Buffer.from('RIFF\x04\0\0\0'), 'the WAV is truncated: it has 8 bytes'],
      [
        'another RIFF form',
        Buffer.from('RIFF\x04\0\0\0WEBP'),
        'the recording is a RIFF file of kind "WEBP", not WAVE',
      ],
      ['no chunks', riff([]), 'the WAV has no fmt chunk'],
      ['no data', riff([fmt()]), 'the WAV has no data chunk'],
      ['data before fmt', riff([data, fmt()]), 'the WAV has no fmt chunk before its data chunk'],
      ['two fmt chunks', riff([fmt(), fmt(), data]), 'the WAV has two fmt chunks'],
      ['a fmt chunk behind the samples', riff([fmt(), data, fmt()]), 'the WAV has two fmt chunks'],
      ['two data chunks', riff([fmt(), data, data]), 'the WAV has two data chunks'],
      ['zero samples', wav(new Uint8Array(0)), 'the recording holds no samples'],
      [
        'truncated samples',
        wav(four).subarray(0, -2),
        'the WAV is truncated: its data chunk claims 8 bytes, 6 are there',
      ],
      [
        'a claim of 40 MB by a file of 52 bytes',
        riff([fmt({ rate: 48000 }), chunk('data', four, 40_000_000)]),
        'the WAV is truncated: its data chunk claims 40000000 bytes, 8 are there',
      ],
      [
        'a truncated chunk before the samples',
        riff([fmt(), chunk('LIST', four, 500), data]),
        'the WAV is truncated: its chunk "LIST" claims 500 bytes, 24 are there',
      ],
      [
        'an impossible format',
        wav(four, { channels: 6 }),
        'the recording has 6 channels; 1 or 2 are allowed',
      ],
      [
        'a truncated fmt chunk',
        riff([chunk('fmt ', formatBody(), 18)]),
        'the WAV is truncated: its fmt chunk claims 18 bytes, 16 are there',
      ],
      [
        'a RIFF size beyond the bytes',
        riff([fmt(), data], 1000),
        'the WAV is truncated: its RIFF size claims 1008 bytes, 52 are there',
      ],
      [
        'two gigabytes of samples in a file that knows its size',
        riff([fmt(), chunk('data', four, 0x7fff_f000)]),
        'the WAV is truncated: its data chunk claims 2147479552 bytes, 8 are there',
      ],
      [
        'a gigabyte of samples, which no placeholder claims',
        riff([fmt(), chunk('data', four, 0x4000_0000)], 0x4000_0024),
        'the WAV is truncated: its data chunk claims 1073741824 bytes, 8 are there',
      ],
      [
        'a data chunk beyond the RIFF size',
        riff([fmt(), data], 20),
        'the WAV contradicts itself: its data chunk ends at byte 52, its RIFF size says 28',
      ],
      [
        'a split last frame',
        wav(pack('s16', [1, 2, 3]), { channels: 2 }),
        "the data chunk's 6 bytes are no whole number of 4-byte frames",
      ],
    ]
    for (const [what, bytes, message] of table) it(what, () => assertRefused(bytes, message))
  })

  describe('refuses by duration', () => {
    const long = (claimed: number, data = four): Buffer =>
      riff([fmt({ bits: 8, rate: 8000 }), chunk('data', data, claimed)])

    it('three hours, with the limit and its variable', () => {
      assertRefused(
        long(3 * 3600 * 8000),
        'the recording is 10800 s long; the limit is 600 s (MAX_AUDIO_SECONDS)',
        'audio_too_long',
        { maxSeconds: 600 },
      )
    })

    it('one sample too many', () => {
      assertRefused(
        long(16001, Buffer.alloc(16001)),
        'the recording is 2.01 s long; the limit is 2 s (MAX_AUDIO_SECONDS)',
        'audio_too_long',
        { maxSeconds: 2 },
      )
    })

    it('what is too much together with the recordings before it', () => {
      const limits = { maxSeconds: 5, secondsBefore: 3 }
      assert.equal(inspectWav(long(16000, Buffer.alloc(16000)), param, limits).frames, 16000)
      assertRefused(
        long(20000),
        'the recordings up to this one are together 5.5 s long; the limit is 5 s (MAX_AUDIO_SECONDS)',
        'audio_too_long',
        limits,
      )
    })
  })
})
