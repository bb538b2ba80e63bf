/** The thread on which requests are read. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ServiceError, SetupError } from '#src/errors.js'
import { Preparation } from '#src/models/llama/preparation.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { newFolder, smollm2 } from './engine.js'
import { chats } from './golden.js'

const never = new AbortController().signal
const tokenizer = loadTokenizer(smollm2)
const counted = new URL('./counting-preparation.js', import.meta.url)
const prompt = (content: string) =>
  ({ kind: 'prompt', request: { messages: [{ role: 'user', content }] }, context: 8192 }) as const
const refused = (code: string, param: string, message: RegExp) => (error: unknown) =>
  error instanceof ServiceError && error.code === code && error.param === param && message.test(error.message)

describe('models/llama/preparation', () => {
  let preparation: Preparation
  before(async () => {
    const { vocabularySize: vocabulary } = tokenizer
    preparation = await Preparation.start({ folder: smollm2, vocabulary, stopTokens: new Set([2]) })
  })
  after(() => preparation?.dispose())

  it('reads conversations as the reference does', async () => {
    for (const { messages, prompt_ids } of chats) {
      const asked = { kind: 'prompt', request: { messages }, context: 8192 } as const
      assert.deepEqual((await preparation.ask(asked, never)).tokens, prompt_ids)
    }
  })

  it('compiles grammars, and tells of the vocabulary what they need', async () => {
    const plan = await preparation.ask({ kind: 'grammar', shape: { kind: 'json' } }, never)
    assert.ok(plan.rules.length > 1)
    const { size, stopTokens, writable } = await preparation.ask({ kind: 'tokens' }, never)
    assert.deepEqual([size, stopTokens, writable[0x7b]], [tokenizer.vocabularySize, [2], true])
  })

  it('says what is wrong with a request', async () => {
    const long = preparation.ask(prompt('word '.repeat(8200)), never)
    await assert.rejects(long, refused('context_length_exceeded', 'messages', /82\d\d tokens.* 8192,/))
    const shape = { kind: 'schema', schema: { not: {} } } as const
    const schema = preparation.ask({ kind: 'grammar', shape }, never)
    await assert.rejects(schema, refused('invalid_value', 'response_format.json_schema.schema', /"not"/))
  })

  it('answers in turn, and leaves out what nobody waits for any more', async () => {
    const settings = { folder: '', vocabulary: 1, stopTokens: new Set([0]) }
    const counting = await Preparation.start(settings, counted)
    const reason = new Error('left')
    const controller = new AbortController()
    const settled: (string | number)[] = []
    const ask = (signal: AbortSignal) =>
      counting.ask(prompt('Hi.'), signal).then(
        ({ tokens: [number] }) => settled.push(number!),
        (error) => settled.push(error === reason ? 'left' : String(error)),
      )
    // The first is with the thread when its asker leaves, the third is not.
    const asked = [controller.signal, never, controller.signal, never].map(ask)
    controller.abort(reason)
    await Promise.all(asked)
    assert.deepEqual(settled, ['left', 'left', 2, 3])
    await assert.rejects(counting.ask(prompt('Hi.'), controller.signal), (error) => error === reason)
    await counting.dispose()
  })

  for (const [ending, message] of [
    ['crash', /^the thread that reads requests was stopped by an error: no memory$/],
    ['exit', /^the thread that reads requests ended with code 3$/],
  ] as const) {
    it(`ends the thread that has started it when it ends of itself (${ending})`, async () => {
      const asking = new Worker(new URL('./asking-thread.js', import.meta.url), { workerData: ending })
      const [error] = (await once(asking, 'error')) as [Error]
      assert.match(error.message, message)
    })

    it(`says so when it ends before it is there (${ending})`, async () => {
      const settings = { folder: `${ending} at once`, vocabulary: 1, stopTokens: new Set([0]) }
      await assert.rejects(Preparation.start(settings, counted), { message })
    })
  }

  it('knows what the chat template does', () => {
    assert.equal(preparation.dialect.thinks, false)
    assert.equal(preparation.dialect.system, 'anywhere')
  })

  it('says which file is at fault', async () => {
    const folder = newFolder()
    const settings = { folder, vocabulary: 9, stopTokens: new Set([2]) }
    const says = (error: unknown) => error instanceof SetupError && error.message.includes(folder)
    await assert.rejects(Preparation.start(settings), says)
  })

  it('ends what waits when it is closed', async () => {
    const closed = await Preparation.start({ folder: smollm2, vocabulary: 49152, stopTokens: new Set([2]) })
    const asked = [closed.ask(prompt('Hi.'), never), closed.ask(prompt('Hi.'), never)]
    await Promise.all([closed.dispose(), ...asked.map((one) => assert.rejects(one, /closed/))])
  })
})
