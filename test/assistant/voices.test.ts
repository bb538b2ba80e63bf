import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openaiVoices, resolveVoice } from '#src/assistant/voices.js'
import { ServiceError } from '#src/errors.js'
import { checkpoint } from '../root.js'

const openai = 'alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse'.split(' ')

describe('assistant/voices', () => {
  const known = readdirSync(join(checkpoint('kokoro-82m'), 'voices')).map((file) => file.replace('.bin', ''))

  it("maps exactly OpenAI's names, each to a voice of its own that the checkpoint has", () => {
    assert.deepEqual(Object.keys(openaiVoices).sort(), openai)
    for (const name of openai) assert.ok(known.includes(resolveVoice(name, known, 'audio.voice')), name)
    assert.equal(new Set(Object.values(openaiVoices)).size, openai.length)
  })

  it("takes every one of the checkpoint's own names as it is", () => {
    assert.equal(known.length, 28)
    for (const name of known) assert.equal(resolveVoice(name, known, 'voice'), name)
  })

  it('refuses any other, listing all that there are', () => {
    for (const name of ['bob', 'Alloy', ' alloy', '', 'constructor', '__proto__', 'x'.repeat(1e5)])
      assert.throws(
        () => resolveVoice(name, known, 'audio.voice'),
        (error: ServiceError) => {
          assert.ok(error instanceof ServiceError)
          assert.equal(error.code, 'unknown_voice')
          assert.equal(error.param, 'audio.voice')
          for (const voice of [...openai, ...known]) assert.match(error.message, new RegExp(`\\b${voice}\\b`))
          assert.ok(error.message.length < 1000)
          return true
        },
      )
  })

  it('refuses a name of OpenAI whose voice the model lacks', () => {
    assert.throws(() => resolveVoice('nova', ['af_heart'], 'audio.voice'), /no voice "nova"/)
  })
})
