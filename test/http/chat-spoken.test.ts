import assert from 'node:assert/strict'
import { inspectWav } from '#src/audio/wav.js'
import { type Service, sharedService } from '../service.js'
import {
  asked,
  audioOf,
  complete,
  openai,
  recording,
  replyOf,
  spoken,
  taken,
  text,
  wordErrorRate,
} from './client.js'

const sentences = [
  'The library opens early in the morning and closes before dinner.',
  'Please put the green umbrella next to the kitchen door.',
  'My brother bought fresh bread and apples at the market yesterday.',
]

describe('POST /v1/chat/completions, spoken', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })
  const say = (words: string, more: object = {}) =>
    complete(service, asked(`say: ${words}`, { ...spoken, ...more }))

  it("speaks to OpenAI's client: a WAV of 24 kHz, mono, 16 bit", async () => {
    const completion = await openai(service).chat.completions.create({
      model: 'gpt-4o-audio-preview',
      modalities: ['text', 'audio'],
      audio: { voice: 'nova', format: 'wav' },
      messages: [{ role: 'user', content: `say: ${sentences[0]}` }],
    })
    const { message, finish_reason } = completion.choices[0]!
    assert.equal(message.content, null)
    assert.equal(finish_reason, 'stop')
    const audio = audioOf(completion)
    assert.equal(audio.transcript, sentences[0])
    assert.match(audio.id, /^audio_[\w-]+$/)
    assert.ok(audio.expires_at > Date.now() / 1000)
    const { format, bitsPerSample, channels, sampleRate, frames, dataOffset } = inspectWav(
      audio.bytes,
      'data',
    )
    assert.deepEqual([format, bitsPerSample, channels, sampleRate, dataOffset], ['pcm', 16, 1, 24000, 44])
    assert.ok(frames / sampleRate > 2 && frames / sampleRate < 8, `${frames / sampleRate} s`)
    const samples = new Int16Array(Uint8Array.from(audio.bytes.subarray(44)).buffer)
    const rms = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)
    assert.ok(rms > 300 && rms < 10_000, `rms ${rms}`)
  })

  it('speaks the same sound in both formats, alloy and wav by default', async () => {
    const plain = audioOf(await say('All is well.'))
    const pcm = audioOf(await say('All is well.', { audio: { voice: 'alloy', format: 'pcm16' } }))
    const named = audioOf(await say('All is well.', { audio: { voice: 'af_alloy', format: 'wav' } }))
    const other = audioOf(await say('All is well.', { audio: { voice: 'onyx' } }))
    assert.deepEqual(plain.bytes.subarray(44), pcm.bytes)
    assert.deepEqual(plain.bytes, named.bytes)
    assert.notDeepEqual(plain.bytes, other.bytes)
    assert.ok(pcm.bytes.length % 2 === 0 && pcm.bytes.length / 48000 > 0.5)
  })

  it('speaks in every format, each of which it hears', async () => {
    const sentence = 'The kettle is on the stove.'
    for (const format of ['mp3', 'flac', 'opus', 'aac']) {
      const { bytes, transcript } = audioOf(await say(sentence, { audio: { voice: 'echo', format } }))
      assert.equal(transcript, sentence)
      if (format === 'aac') {
        assert.equal(bytes.readUInt16BE(0) & 0xfff6, 0xfff0, 'ADTS')
        continue
      }
      const question = asked([text('transcribe'), recording(bytes, format)])
      const heard = replyOf(await complete(service, question))
      assert.ok(wordErrorRate(sentence, heard) <= 0.2, `${format}: "${sentence}" was heard as "${heard}"`)
    }
  })

  it('is understood by its own ears', async () => {
    for (const [i, sentence] of sentences.entries()) {
      const voice = ['alloy', 'echo', 'fable'][i]
      const { bytes } = audioOf(await say(sentence, { audio: { voice, format: 'wav' } }))
      const heard = replyOf(await complete(service, asked([text('transcribe'), recording(bytes)])))
      assert.ok(wordErrorRate(sentence, heard) <= 0.1, `"${sentence}" was heard as "${heard}"`)
    }
  })

  it('speaks what the language model thinks, and counts it as audio', async () => {
    const question = 'What is the capital of France?'
    const completion = await complete(service, asked(question, { ...spoken, max_tokens: 12 }))
    const written = await complete(service, asked(question, { max_tokens: 12 }))
    const { transcript, bytes } = audioOf(completion)
    assert.equal(transcript, replyOf(written))
    assert.ok(inspectWav(bytes, 'data').frames > 12_000)
    const { completion_tokens, completion_tokens_details } = completion.usage!
    assert.equal(completion_tokens, written.usage!.completion_tokens)
    assert.equal(completion_tokens_details?.audio_tokens, completion_tokens)
  })

  it('continues from the id of a spoken reply as from its text', async () => {
    const { id, transcript } = audioOf(await say('My favourite animal is the otter.'))
    const next = (reply: object) => ({
      messages: [
        { role: 'user', content: 'What is your favourite animal?' },
        { role: 'assistant', ...reply },
        { role: 'user', content: 'Which animal did you name?' },
      ],
      temperature: 0,
      max_tokens: 24,
    })
    const byId = await complete(service, next({ audio: { id } }))
    const byText = await complete(service, next({ content: transcript }))
    assert.equal(replyOf(byId), replyOf(byText))
    assert.deepEqual(taken(byId), taken(byText))
    assert.ok(replyOf(byId).length > 0)
  })

  it('speaks several sentences in one piece of sound', async () => {
    const long = sentences.join(' ')
    const { bytes, transcript } = audioOf(await say(long))
    assert.equal(transcript, long)
    assert.ok(inspectWav(bytes, 'data').frames > 24_000 * 6)
  })

  it('has silence for a reply without anything to say', async () => {
    const { bytes, transcript } = audioOf(await say(''))
    assert.equal(transcript, '')
    assert.equal(bytes.length, 44)
  })
})
