import assert from 'node:assert/strict'
import type { ServiceInfo } from '#src/assistant/info.js'
import { readConfig } from '#src/config.js'
import { greeting } from '#src/greeting.js'

describe('greeting', () => {
  const config = readConfig({ HOST: '127.0.0.1' })
  const model = {
    name: 'small',
    family: 'llama',
    parameters: 135e6,
    bytes: 270e6,
    loadSeconds: 1.25,
    parallel: 3,
    facts: { contextTokens: 8192, stateBytes: 2 ** 29 },
  } as const
  const info = (models: ServiceInfo['models']): ServiceInfo => ({
    version: '1',
    runtime: 'test',
    models,
    readyAt: 0,
  })

  it('tells what is loaded, where it listens, and something to try', () => {
    const text = greeting(info([model]), config, 8000)
    assert.match(text, /^small \(llama, 135 M parameters, 270 MB\) loaded in 1\.3 s$/m)
    assert.match(
      text,
      /^3 replies .* \(SLOTS\), each in a context of up to 8192 tokens, in 512 MB of keys and values \(KV_MEMORY\)$/m,
    )
    assert.match(text, /^listening on http:\/\/127\.0\.0\.1:8000, ready/m)
    assert.match(text, /^talk to it at http:\/\/127\.0\.0\.1:8000\/$/m)
    assert.match(text, /^ {2}curl -s http:\/\/127\.0\.0\.1:8000\/v1\/chat\/completions/m)
    assert.doesNotMatch(text, /GPU|left/)
  })

  it('tells what each model has taken of a GPU, and what the last one left', () => {
    const memory = (taken: number, free: number) => ({ device: 'A GPU', taken, free, total: 24e9 })
    const text = greeting(
      info([
        { ...model, name: 'first', memory: memory(1.5e9, 22e9) },
        { ...model, name: 'last', memory: memory(2e9, 20e9), warnings: ['It is slow.'] },
      ]),
      config,
      8000,
    )
    assert.match(text, /^first .* loaded in 1\.3 s, has taken 1500 MB of GPU memory$/m)
    assert.match(text, /^last .* loaded in 1\.3 s, has taken 2000 MB of GPU memory$/m)
    assert.match(text, /^last: It is slow\.$/m)
    assert.match(text, /^A GPU has 20000 MB of 24000 MB left$/m)
  })
})
