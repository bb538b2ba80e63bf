/** Requests that are inside at the same time: their order, and what becomes of those whose client goes away. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { AdminClient } from '../admin/client.js'
import { chunk, fmt, riff } from '../audio/wav-bytes.js'
import { type Service, sharedService } from '../service.js'
import {
  asked,
  audioOf,
  clip,
  clipBytes,
  complete,
  post,
  recording,
  replyOf,
  spoken,
  text,
} from './client.js'

const story = (tokens: number) => asked('Write a very long story about a river.', { max_tokens: tokens })
/** The five short recordings, three times over: 43 s. */
const speech = riff([
  fmt(),
  chunk(
    'data',
    Buffer.concat(
      [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5].map((i) => clipBytes(`spk1_snt${i}.wav`).subarray(44)),
    ),
  ),
])
const longText =
  'The old river runs slowly through the quiet valley, past the mill and the stone bridge. '.repeat(12)

describe('POST /v1/chat/completions, side by side', () => {
  let service: Service
  let admin: AdminClient
  before(async () => {
    service = await sharedService()
    admin = new AdminClient(service.adminPort)
  })
  after(() => admin?.close())

  async function inside(requests: number): Promise<void> {
    while ((await admin.info()).requests !== requests);
  }

  it('writes several replies at the same time: a short one does not wait for a long one', async () => {
    const order: string[] = []
    const long = complete(service, story(120)).then((answer) => {
      order.push('long')
      return answer
    })
    await inside(1)
    const short = await complete(service, asked('Hi.', { max_tokens: 1 }))
    order.push('short')
    assert.equal(short.usage?.completion_tokens, 1)
    assert.equal((await long).usage?.completion_tokens, 120)
    assert.deepEqual(order, ['short', 'long'])
  })

  it('forgets a request that waits when its client goes away', async () => {
    const running = complete(service, story(60))
    await inside(1)
    const controller = new AbortController()
    const waiting = assert.rejects(post(service, story(60), { signal: controller.signal }), {
      name: 'AbortError',
    })
    await inside(2)
    controller.abort()
    await waiting
    await inside(1)
    assert.equal((await running).usage?.completion_tokens, 60)
  })

  for (const [what, long, short, check] of [
    ['thinks', story(4000), asked('Hi.', { max_tokens: 1 }), () => {}],
    [
      'hears',
      asked([text('transcribe'), recording(speech)]),
      asked([text('transcribe'), clip('spk1_snt4.wav')]),
      (completion) => assert.match(replyOf(completion), /^A thin stripe/),
    ],
    [
      'speaks',
      asked(`say: ${longText}`, spoken),
      asked('say: All is well.', spoken),
      (completion) => assert.ok(audioOf(completion).bytes.length > 24_000),
    ],
  ] as [string, object, object, (completion: Awaited<ReturnType<typeof complete>>) => void][])
    it(`stops what it ${what} for a client that is gone, at the next step`, async () => {
      const controller = new AbortController()
      const left = assert.rejects(post(service, long, { signal: controller.signal }), { name: 'AbortError' })
      await inside(1)
      await delay(300) // time to reach the model: nothing tells from outside
      controller.abort()
      await left
      const begun = performance.now()
      check(await complete(service, short))
      const seconds = (performance.now() - begun) / 1000
      assert.ok(seconds < 8, `the next answer took ${seconds} s`)
      assert.equal((await admin.info()).requests, 0)
    })
})
