import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import { replyId, replyTranscript } from '#src/assistant/reply-id.js'
import { ServiceError } from '#src/errors.js'

function refused(id: string, says = /not made by this service/, usedBytes?: number): void {
  assert.throws(
    () => replyTranscript(id, 'messages[1].audio.id', usedBytes),
    (error: unknown) =>
      error instanceof ServiceError &&
      error.code === 'invalid_audio_id' &&
      error.param === 'messages[1].audio.id' &&
      error.row.http === 400 &&
      says.test(error.message),
    id.slice(0, 40),
  )
}
const wrap = (bytes: Uint8Array) => `audio_${Buffer.from(bytes).toString('base64url')}`

describe('assistant/reply-id', () => {
  const sentence = 'It is a quarter past nine, and the kettle is on.'

  for (const [what, text] of [
    ['a sentence', sentence],
    ['nothing', ''],
    ['other scripts', 'Grüße, \ufeff 日本語, العربية, 👩‍👩‍👧 \u0000 \u2028'],
    ['a long text', sentence.repeat(5000)],
  ] as const)
    it(`carries ${what}`, () => {
      const id = replyId(text)
      assert.match(id, /^audio_[A-Za-z0-9_-]+$/)
      assert.equal(replyTranscript(id, 'x'), text)
      assert.equal(replyId(text), id)
    })

  it('is short: base64 of little more than the text, or much less', () => {
    assert.ok(replyId(sentence).length < sentence.length * 1.4 + 32)
    assert.ok(replyId(sentence.repeat(20)).length < sentence.length * 4)
  })

  it('refuses what this service did not make', () => {
    for (const id of ['', 'audio_', 'audio_abc123', 'audio_68af7bd9c2c48190', 'AUDIO_eJw', 'msg_1', sentence])
      refused(id)
    refused(replyId(sentence).slice('audio_'.length))
    refused(`audio_${replyId(sentence)}`)
  })

  it('refuses an id that was cut or changed', () => {
    const id = replyId(sentence)
    for (let length = 0; length < id.length; length++) refused(id.slice(0, length))
    refused(`${id}=`)
    refused(`${id} `)
    refused(`${id}!`)
    const changed = Buffer.from(id.slice('audio_'.length), 'base64url')
    changed[changed.length - 1]! ^= 1
    refused(wrap(changed))
  })

  it('refuses bytes that are no text', () => {
    refused(wrap(deflateSync(Buffer.from([0x66, 0xff, 0xfe, 0x80]))))
  })

  const tooLong = /^messages\[1\]\.audio\.id: .* together longer than 1048576 bytes, the limit$/

  it('refuses an id that would unfold to more than a megabyte, at once', () => {
    const bomb = wrap(deflateSync(Buffer.alloc(256 << 20), { level: 9 }))
    assert.ok(bomb.length < 400_000)
    const begun = performance.now()
    refused(bomb, tooLong)
    assert.ok(performance.now() - begun < 100, `${performance.now() - begun} ms`)
    assert.equal(replyTranscript(replyId('a'.repeat(1 << 20)), 'x').length, 1 << 20)
    refused(replyId('a'.repeat((1 << 20) + 1)), tooLong)
  })

  it('counts what the ids before it have unfolded to, in bytes', () => {
    const full = 1 << 20
    assert.equal(replyTranscript(replyId('é'), 'x', full - 2), 'é')
    refused(replyId('é'), tooLong, full - 1)
    refused(replyId('a'), tooLong, full)
    assert.equal(replyTranscript(replyId(''), 'x', full), '')
  })
})
