import assert from 'node:assert/strict'
import { Utf8Stream } from '#src/text/utf8-stream.js'

const pieces = (bytes: Uint8Array, size: number): string[] => {
  const stream = new Utf8Stream()
  const texts: string[] = []
  for (let at = 0; at < bytes.length; at += size) texts.push(stream.push(bytes.subarray(at, at + size)))
  return [...texts, stream.end()]
}

describe('Utf8Stream', () => {
  const texts = ['plain', 'é ü ß', '日本語', 'a🙂b👍🏽', '\ufeffmark', '']
  for (const text of texts) {
    for (const size of [1, 2, 3, 5]) {
      it(`gives ${JSON.stringify(text)} back from pieces of ${size} bytes`, () => {
        const parts = pieces(Buffer.from(text), size)
        assert.equal(parts.join(''), text)
        for (const part of parts) assert.ok(part.isWellFormed() && !part.includes('\ufffd'))
      })
    }
  }

  it('holds an unfinished sequence back', () => {
    assert.deepEqual(pieces(Buffer.from('a🙂'), 1), ['a', '', '', '', '🙂', ''])
  })

  const faults: [string, number[]][] = [
    ['a lone continuation byte', [0x61, 0x80, 0x62]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a sequence broken by a letter', [0xe6, 0x97, 0x61]],
    ['an unfinished end', [0x61, 0xf0, 0x9f]],
  ]
  for (const [name, bytes] of faults) {
    it(`replaces ${name} as the decoder of the whole does`, () => {
      const whole = new TextDecoder().decode(Uint8Array.from(bytes))
      assert.ok(whole.includes('\ufffd'))
      assert.equal(pieces(Uint8Array.from(bytes), 1).join(''), whole)
    })
  }

  it('can be used anew after its end', () => {
    const stream = new Utf8Stream()
    stream.push(Uint8Array.of(0xf0, 0x9f))
    assert.equal(stream.end(), '\ufffd')
    assert.equal(stream.push(Buffer.from('new')), 'new')
  })
})
