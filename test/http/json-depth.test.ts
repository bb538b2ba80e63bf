import assert from 'node:assert/strict'
import { checkDepth } from '#src/http/json-depth.js'

const check = (json: string) => checkDepth(Buffer.from(json))
const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`

describe('http/json-depth', () => {
  it('allows what lies side by side, and a hundred levels', () => {
    check('[]'.repeat(1000))
    check(nested(100))
    check(JSON.stringify({ text: '[{'.repeat(1000), 'key\\"[[': '\\"{{{\\\\', end: '\\' }))
    check('"[[[[')
    check('')
  })

  it('refuses one more', () => {
    for (const json of [nested(102), `{"a":"\\\\","b":${nested(100)}}`, '['.repeat(10_000_000)])
      assert.throws(() => check(json), { code: 'invalid_json' })
  })
})
