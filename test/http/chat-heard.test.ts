import assert from 'node:assert/strict'
import { type Service, sharedService } from '../service.js'
import {
  asked,
  audioOf,
  clip,
  clipBytes,
  complete,
  recording,
  replyOf,
  spoken,
  text,
  transcripts,
  wordErrorRate,
} from './client.js'

describe('POST /v1/chat/completions, heard', () => {
  let service: Service
  /** By file, as the service itself hears it: the reference differs from the transcripts in marks and capitals. */
  const heard = new Map<string, string>()
  before(async () => {
    service = await sharedService()
  })
  const says = (name: string) => `The recording says: "${heard.get(name)}"`

  for (const [name, transcript] of Object.entries(transcripts))
    it(`transcribes ${name} when ordered to`, async () => {
      const completion = await complete(service, asked([text('Transcribe the recording.'), clip(name)]))
      assert.equal(wordErrorRate(transcript, replyOf(completion)), 0, replyOf(completion))
      assert.equal(replyOf(completion), replyOf(completion).trim())
      heard.set(name, replyOf(completion))
      assert.equal(completion.choices[0]?.finish_reason, 'stop')
      const { prompt_tokens, prompt_tokens_details, completion_tokens, total_tokens } = completion.usage!
      assert.ok(prompt_tokens > 0)
      assert.equal(prompt_tokens_details?.audio_tokens, prompt_tokens)
      assert.equal(total_tokens, prompt_tokens + completion_tokens)
    })

  it('takes a recording for what it is, whatever its name', async () => {
    for (const [file, format] of [
      ['coded/stripe.mp3', 'mp3'],
      ['coded/stripe.webm', 'webm'],
      ['coded/stripe.ogg', 'wav'],
      ['spk1_snt4.wav', 'mp3'],
    ] as const) {
      const question = asked([text('transcribe'), recording(clipBytes(file), format)])
      const reply = replyOf(await complete(service, question))
      assert.equal(wordErrorRate(transcripts['spk1_snt4.wav']!, reply), 0, `${file}: ${reply}`)
    }
  })

  for (const [what, content, read] of [
    ['alone', [clip('spk1_snt5.wav')], () => says('spk1_snt5.wav')],
    [
      'behind a text',
      [text('What day is named here?'), clip('spk1_snt5.wav')],
      () => `What day is named here?\n\n${says('spk1_snt5.wav')}`,
    ],
    [
      'beside another',
      [clip('spk1_snt1.wav'), text('Which is longer?'), clip('spk1_snt4.wav')],
      () => `Which is longer?\n\n${says('spk1_snt1.wav')}\n\n${says('spk1_snt4.wav')}`,
    ],
  ] as const)
    it(`reads a recording ${what} as what it says`, async () => {
      const byEar = await complete(service, asked(content, { max_tokens: 16 }))
      const written = await complete(service, asked(read(), { max_tokens: 16 }))
      assert.equal(replyOf(byEar), replyOf(written))
      assert.ok(replyOf(byEar).length > 0)
      const [a, b] = [byEar.usage!, written.usage!]
      assert.equal(a.prompt_tokens, b.prompt_tokens)
      const { audio_tokens = 0, ...others } = a.prompt_tokens_details!
      assert.ok(audio_tokens >= 8 && audio_tokens < a.prompt_tokens, `${audio_tokens} audio tokens`)
      assert.equal((others as { text_tokens?: number }).text_tokens, a.prompt_tokens - audio_tokens)
    })

  it('hears recordings of turns before', async () => {
    const [name, other] = ['spk1_snt3.wav', 'spk1_snt4.wav']
    const conversation = (first: unknown, last: unknown) => ({
      messages: [
        { role: 'user', content: first },
        { role: 'assistant', content: 'I see.' },
        { role: 'user', content: last },
      ],
      temperature: 0,
      max_tokens: 12,
    })
    const byEar = await complete(service, conversation([clip(name)], [clip(other)]))
    const written = await complete(service, conversation(says(name), says(other)))
    assert.equal(replyOf(byEar), replyOf(written))
    assert.equal(byEar.usage!.prompt_tokens, written.usage!.prompt_tokens)
  })

  it('speaks a transcript that is to be spoken', async () => {
    const completion = await complete(service, asked([text('transcribe:'), clip('spk1_snt4.wav')], spoken))
    const { transcript, bytes } = audioOf(completion)
    assert.equal(transcript, heard.get('spk1_snt4.wav'))
    assert.ok(bytes.length > 24_000)
  })
})
