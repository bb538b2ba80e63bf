import assert from 'node:assert/strict'
import { parseFormat } from '#src/audio/wav-format.js'
import { ServiceError } from '#src/errors.js'
import { type Extension, extensibleBody, formatBody, type Shape } from './wav-bytes.js'

const extension = (size: Extension): Buffer => extensibleBody({}, size)

describe('audio/wav-format', () => {
  it('reads a plain and an extensible format as the same', () => {
    const shape: Shape = { tag: 3, bits: 32, channels: 2, rate: 44100 }
    const format = { format: 'float', bitsPerSample: 32, channels: 2, sampleRate: 44100, blockAlign: 8 }
    assert.deepEqual(parseFormat(formatBody(shape), 'data'), format)
    assert.deepEqual(parseFormat(extensibleBody(shape), 'data'), format)
  })

  it('takes 20 valid bits in a 24-bit container', () => {
    assert.equal(parseFormat(extensibleBody({ bits: 24 }, { validBits: 20 }), 'data').bitsPerSample, 24)
  })

  const only = 'only PCM (0x0001) and float (0x0003) are read'
  const table: [string, Buffer, string][] = [
    ['a short chunk', Buffer.alloc(14), 'the fmt chunk has 14 bytes; it needs at least 16'],
    ['no channels', formatBody({ channels: 0 }), 'the recording has 0 channels; 1 or 2 are allowed'],
    ['six channels', formatBody({ channels: 6 }), 'the recording has 6 channels; 1 or 2 are allowed'],
    ['7999 Hz', formatBody({ rate: 7999 }), 'the sample rate is 7999 Hz; 8000 to 48000 Hz are allowed'],
    ['96 kHz', formatBody({ rate: 96000 }), 'the sample rate is 96000 Hz; 8000 to 48000 Hz are allowed'],
    [
      '12-bit PCM',
      formatBody({ bits: 12, blockAlign: 2 }),
      'the samples are 12-bit pcm; 8, 16, 24 and 32-bit PCM are read',
    ],
    ['64-bit PCM', formatBody({ bits: 64 }), 'the samples are 64-bit pcm; 8, 16, 24 and 32-bit PCM are read'],
    ['16-bit float', formatBody({ tag: 3 }), 'the samples are 16-bit float; 32 and 64-bit float are read'],
    ['µ-law', formatBody({ tag: 7, bits: 8 }), `the WAV holds µ-law (format 0x0007); ${only}`],
    ['an unknown format', formatBody({ tag: 0x1234 }), `the WAV holds format 0x1234; ${only}`],
    [
      'a wrong block size',
      formatBody({ channels: 2, blockAlign: 2 }),
      "the fmt chunk's block size is 2 bytes; 2 × 16 bits make 4",
    ],
    [
      'an extensible format without its extension',
      formatBody({ tag: 0xfffe }),
      'the extensible fmt chunk has 16 bytes; it needs at least 40',
    ],
    [
      'a short extension',
      extension({ size: 0 }),
      "the extensible fmt chunk's extension has 0 bytes; it needs 22",
    ],
    [
      'more valid bits than bits',
      extension({ validBits: 24 }),
      'the fmt chunk says 24 valid bits in samples of 16',
    ],
    [
      'a foreign sub-format GUID',
      extension({ tail: Buffer.alloc(14, 0xab) }),
      `the sub-format GUID (bytes 0100${'ab'.repeat(14)}) is neither PCM nor float`,
    ],
    [
      'an extensible ADPCM',
      extension({ subTag: 2 }),
      `the WAV holds Microsoft ADPCM (format 0x0002); ${only}`,
    ],
  ]
  for (const [what, body, message] of table)
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseFormat(body, 'data'),
        (error) => {
          assert.ok(error instanceof ServiceError, String(error))
          assert.deepEqual(
            [error.code, error.param, error.message],
            ['invalid_audio', 'data', `data: ${message}`],
          )
          return true
        },
      )
    })
})
