/** One turn on models that do exactly what a test tells them. */
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ChatRequest, chat } from '#src/assistant/chat.js'
import type { Models } from '#src/assistant/registry.js'
import { ServiceError } from '#src/errors.js'
import type { SpeakEvent, SpeakRequest } from '#src/models/kokoro/speak.js'
import type { GenerateEvent } from '#src/models/llama/request.js'
import { collected } from '../collected.js'

const request: ChatRequest = {
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Tell me.' }] }],
  maxTokens: 100,
  voice: 'af_alloy',
  intents: true,
  maxSpeechCharacters: 1000,
}
const start: GenerateEvent = { kind: 'start', promptTokens: 9, cachedTokens: 4, recordingTokens: 2 }
const end: GenerateEvent = {
  kind: 'end',
  choice: 0,
  reason: 'stop',
  completionTokens: 7,
  reasoningTokens: 2,
}
const text = (words: string): GenerateEvent => ({ kind: 'text', choice: 0, text: words })
const never = new AbortController().signal

interface Script {
  readonly llama?: (signal: AbortSignal) => AsyncGenerator<GenerateEvent>
  readonly kokoro?: (request: SpeakRequest, signal: AbortSignal) => AsyncGenerator<SpeakEvent>
}
const models = ({ llama, kokoro }: Script): Models =>
  ({
    llama: { call: (_: unknown, signal: AbortSignal) => llama!(signal) },
    kokoro: { call: kokoro ?? sayLength },
  }) as unknown as Models

/** One piece of sound that has a sample for each character. */
async function* sayLength({ text: words }: SpeakRequest): AsyncGenerator<SpeakEvent> {
  yield { kind: 'audio', samples: new Float32Array(words.length), text: words }
  yield { kind: 'end', seconds: 0, symbols: words.length }
}

/** Waits until it is told that its caller has gone. */
const gone = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

describe('assistant/chat', () => {
  it('speaks a sentence while the next is thought', async () => {
    const spoken: SpeakRequest[] = []
    let think = () => {}
    const thought = new Promise<void>((resolve) => (think = resolve))
    const events = chat(
      models({
        async *llama() {
          yield start
          yield text('The river runs through the valley. It is ')
          await thought
          yield text('very long and nobody knows where it ends.')
          yield end
        },
        async *kokoro(asked) {
          spoken.push(asked)
          yield* sayLength(asked)
        },
      }),
      request,
      never,
    )
    const begun = await events.next()
    assert.deepEqual(begun.value, { kind: 'start' })
    const first = await events.next()
    assert.deepEqual(first.value, text('The river runs through the valley. It is '))
    const second = await events.next()
    assert.deepEqual(second.value, { kind: 'audio', choice: 0, samples: new Float32Array(34) })
    think()
    const rest = await collected(events)
    assert.deepEqual(
      rest.map(({ kind }) => kind),
      ['text', 'audio', 'end', 'usage'],
    )
    assert.deepEqual(rest.slice(-2), [
      { kind: 'end', choice: 0, reason: 'stop' },
      {
        kind: 'usage',
        usage: {
          prompt: { text: 7, audio: 2, cached: 4 },
          completion: { text: 0, audio: 5, reasoning: 2 },
        },
      },
    ])
    assert.deepEqual(spoken, [
      { text: 'The river runs through the valley.', voice: 'af_alloy', speed: 1, continues: false },
      {
        text: 'It is very long and nobody knows where it ends.',
        voice: 'af_alloy',
        speed: 1,
        continues: true,
      },
    ])
  })

  it('has no sound for calls, whose tokens are text, and does not tell what is only thought', async () => {
    const call: GenerateEvent[] = [
      { kind: 'call', choice: 0, call: 0, id: 'call_1', name: 'time' },
      { kind: 'arguments', choice: 0, call: 0, text: '{"place":"Rome. Or Lima."}' },
    ]
    const script: GenerateEvent[] = [
      start,
      { kind: 'reasoning', choice: 0, text: 'The clock is not here. I have to ask.' },
      text('I look.'),
      ...call,
      { ...end, reason: 'calls' } as GenerateEvent,
    ]
    const spoken: string[] = []
    const llama = async function* () {
      yield* script
    }
    const kokoro = (asked: SpeakRequest) => {
      spoken.push(asked.text)
      return sayLength(asked)
    }
    const events = await collected(chat(models({ llama, kokoro }), request, never))
    assert.deepEqual(spoken, ['I look.'])
    assert.deepEqual(
      events.filter(({ kind }) => kind !== 'audio'),
      [
        { kind: 'start' },
        text('I look.'),
        ...call,
        { kind: 'end', choice: 0, reason: 'calls' },
        {
          kind: 'usage',
          usage: {
            prompt: { text: 7, audio: 2, cached: 4 },
            completion: { text: 5, audio: 0, reasoning: 2 },
          },
        },
      ],
    )
  })

  it('tells several replies apart, and counts them together', async () => {
    const script: GenerateEvent[] = [start, { ...text('B'), choice: 1 } as GenerateEvent, text('A')]
    const ends = [1, 0].map((choice) => ({ ...end, choice }) as GenerateEvent)
    const llama = async function* () {
      yield* [...script, ...ends]
    }
    const events = await collected(chat(models({ llama }), { ...request, voice: null, choices: 2 }, never))
    assert.deepEqual(
      events.map((event) => ('choice' in event ? `${event.kind} ${event.choice}` : event.kind)),
      ['start', 'text 1', 'text 0', 'end 1', 'end 0', 'usage'],
    )
    const usage = events.at(-1)
    assert.ok(usage?.kind === 'usage')
    assert.deepEqual(usage.usage.completion, { text: 10, audio: 0, reasoning: 4 })
  })

  it('waits with the next sentence for a reader that does not come', async () => {
    let calls = 0
    const events = chat(
      models({
        async *llama() {
          yield text('This is one more of many sentences. '.repeat(50))
          yield end
        },
        async *kokoro(asked) {
          calls++
          yield* sayLength(asked)
        },
      }),
      request,
      never,
    )
    await events.next()
    await events.next()
    for (let i = 0; i < 20; i++) await nextTurn()
    assert.ok(calls <= 2, `${calls} sentences were spoken`)
    await events.return(undefined)
  })

  it('stops the models when one of them fails, and when the reader leaves', async () => {
    const stopped: string[] = []
    const waiting = (name: string) =>
      async function* (...args: unknown[]): AsyncGenerator<never> {
        try {
          yield await gone(args.at(-1) as AbortSignal)
        } finally {
          stopped.push(name)
        }
      }
    const sentence = text('The river runs through the valley. It is long ')
    const failing = models({
      async *llama(signal) {
        yield sentence
        yield* waiting('llama')(signal)
      },
      async *kokoro() {
        yield await Promise.reject(new ServiceError('server_error', 'no voice'))
      },
    })
    await assert.rejects(collected(chat(failing, request, never)), /no voice/)
    assert.deepEqual(stopped.splice(0), ['llama'])

    const slow = models({
      async *llama() {
        yield sentence
        yield end
      },
      kokoro: waiting('kokoro'),
    })
    for await (const { kind } of chat(slow, request, never)) {
      assert.equal(kind, 'text')
      await nextTurn()
      break
    }
    assert.deepEqual(stopped.splice(0), ['kokoro'])

    const controller = new AbortController()
    const both = collected(
      chat(
        models({
          async *llama(signal) {
            yield sentence
            yield* waiting('llama')(signal)
          },
          kokoro: waiting('kokoro'),
        }),
        request,
        controller.signal,
      ),
    )
    await nextTurn()
    controller.abort(new ServiceError('request_cancelled', 'gone'))
    await assert.rejects(both, /gone/)
    assert.deepEqual(stopped.sort(), ['kokoro', 'llama'])
  })
})
