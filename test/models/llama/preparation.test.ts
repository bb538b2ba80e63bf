/** The thread on which requests are read. */
import assert from 'node:assert/strict'
import { ServiceError, SetupError } from '#src/errors.js'
import { Preparation } from '#src/models/llama/preparation.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { newFolder, smollm2 } from './engine.js'
import { chats } from './golden.js'

const never = new AbortController().signal
const tokenizer = loadTokenizer(smollm2)
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

  it('leaves out what nobody waits for any more', async () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `word${i}`).join(' ')
    const settled: string[] = []
    const note = (name: string) => () => settled.push(name)
    const reason = new Error('left')
    const controller = new AbortController()
    const first = preparation.ask(prompt('a '.repeat(4000)), never).then(note('first'))
    const left = preparation.ask(prompt(words), controller.signal).catch((error: unknown) => {
      assert.equal(error, reason)
      note('left')()
    })
    const begun = performance.now()
    const last = preparation.ask(prompt('Hi.'), never).then(note('last'))
    controller.abort(reason)
    await Promise.all([first, left, last])
    assert.deepEqual(settled, ['left', 'first', 'last'])
    assert.ok(performance.now() - begun < 1500, 'what was left took its time')
    await assert.rejects(preparation.ask(prompt('Hi.'), controller.signal), (error) => error === reason)
  })

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
