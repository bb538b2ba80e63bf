import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '#src/errors.js'
import { stopTokens } from '#src/models/llama/stop-tokens.js'
import { newFolder } from './engine.js'

describe('models/llama/stop-tokens', () => {
  const tokenizer = { id: (text: string) => (text === '<|im_end|>' ? 7 : undefined) }
  const stops = (config: object, tokenizerConfig: object = {}, generation: Record<string, unknown> = {}) => {
    const folder = newFolder()
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig))
    return [...stopTokens(folder, tokenizer, generation, 100)].sort((a, b) => a - b)
  }
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof SetupError && message.test(error.message)

  it('are those that any of the files names', () => {
    assert.deepEqual(
      stops({ eos_token_id: 2 }, { eos_token: '<|im_end|>' }, { eos_token_id: [2, 3] }),
      [2, 3, 7],
    )
    assert.deepEqual(stops({ eos_token_id: null }, { eos_token: { content: '<|im_end|>' } }), [7])
    assert.deepEqual(stops({ eos_token_id: [0, 99] }, { eos_token: 'no token' }), [0, 99])
  })

  it('are none that can not come', () => {
    assert.deepEqual(stops({ eos_token_id: [100, -1, 2.5, 4] }), [4])
  })

  it('have to be there, for replies to end', () => {
    assert.throws(() => stops({}), refused(/config\.json names no eos_token_id: replies would never end/))
    assert.throws(
      () => stops({ eos_token_id: 100 }, {}, { eos_token_id: [101] }),
      refused(/eos_token_id 101, 100, but the network has 100 tokens.*replies would never end/),
    )
  })
})
