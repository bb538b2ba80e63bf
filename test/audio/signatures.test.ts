import assert from 'node:assert/strict'
import { looksLike } from '#src/audio/signatures.js'

describe('audio/signatures', () => {
  for (const [name, magic] of [
    ['MP3 (it starts with an ID3 tag)', Buffer.from('ID3\x04')],
    ['MP3', Buffer.from([0xff, 0xfb, 0x90, 0x64])],
    ['AAC (ADTS)', Buffer.from([0xff, 0xf1, 0x50, 0x80])],
    ['Ogg (Opus or Vorbis)', Buffer.from('OggS')],
    ['FLAC', Buffer.from('fLaC')],
    ['WebM or Matroska', Buffer.from([0x1a, 0x45, 0xdf, 0xa3])],
    ['MP4 or M4A', Buffer.from('\0\0\0\x20ftypM4A ')],
    ['AIFF', Buffer.from('FORM')],
    ['big-endian WAV (RIFX)', Buffer.from('RIFX')],
    ['64-bit WAV (RF64)', Buffer.from('RF64')],
  ] as const)
    it(`knows ${name}`, () => {
      assert.equal(looksLike(Buffer.concat([magic, Buffer.alloc(64)])), name)
    })

  it('knows nothing else', () => {
    for (const bytes of ['', 'x', 'hello, this is text', '\xff\x1f'])
      assert.equal(looksLike(Buffer.from(bytes, 'latin1')), undefined)
  })
})
