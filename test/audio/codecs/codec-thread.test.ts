import assert from 'node:assert/strict'
import { CodecThread } from '#src/audio/codecs/codec-thread.js'

const entry = new URL('./hanging-thread.js', import.meta.url)
const signal = new AbortController().signal
const decode = { kind: 'decode', bytes: new Uint8Array(1), maxSeconds: 1 } as const
const open = { kind: 'open', format: 'mp3', sampleRate: 24_000 } as const

describe('audio/codecs codec-thread', () => {
  it('ends a thread that shows no sign of life, and tells all who wait', async () => {
    const thread = new CodecThread(entry, 2000, 50)
    assert.equal(await thread.ask(open, signal), 1)
    const [hanging, behind] = [thread.ask(decode, signal), thread.ask(open, signal)]
    const begun = performance.now()
    await assert.rejects(hanging, {
      code: 'invalid_audio',
      message: /damaged: its decoder no longer answered/,
    })
    await assert.rejects(behind, { code: 'server_error', message: /thread no longer answered/ })
    assert.ok(performance.now() - begun < 10_000)
    assert.ok(thread.ended)
    await assert.rejects(thread.ask(open, signal), { code: 'server_error' })
  })

  it('waits no longer than its caller does', async () => {
    const thread = new CodecThread(entry, 2000, 50)
    await thread.ask(open, signal)
    const controller = new AbortController()
    const hanging = thread.ask(decode, controller.signal)
    controller.abort(new Error('enough'))
    await assert.rejects(hanging, /enough/)
    await assert.rejects(thread.ask(open, signal), /no longer answered/)
  })

  it('tells of a thread that can not be started', async () => {
    const thread = new CodecThread(new URL('./nowhere.js', import.meta.url))
    await assert.rejects(thread.ask(decode, signal), {
      code: 'invalid_audio',
      message: /failed: Cannot find/,
    })
    assert.ok(thread.ended)
  })
})
