/** Replies drawn at random from what the masks allow: all of them parse, and validate. */
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { seededRandom } from '#src/decoding/rng.js'
import { grammars, randomReply, schemaGrammar } from './replies.js'
import { schemas } from './schemas.js'

const replies = 12

describe('replies drawn at random', function () {
  this.timeout(60_000)

  for (const [name, schema] of Object.entries(schemas))
    it(`validate: ${name}`, () => {
      const ajv = new Ajv2020({ strict: false, logger: false })
      formats.default(ajv)
      const validate = ajv.compile(schema)
      const grammar = schemaGrammar(schema)
      const random = seededRandom(name)
      let ended = 0
      for (let count = 0; count < replies; count++) {
        const reply = randomReply(grammar, random)
        if (reply === undefined) continue
        ended++
        const value: unknown = JSON.parse(reply)
        assert.ok(validate(value), `${reply}: ${ajv.errorsText(validate.errors)}`)
      }
      assert.ok(ended >= replies / 2, `${ended} of ${replies} came to an end`)
    })

  it('are objects where any object is asked for', () => {
    const random = seededRandom('objects')
    const grammar = grammars.compile({ kind: 'json' })
    for (let count = 0; count < replies; count++) {
      const reply = randomReply(grammar, random)
      if (reply !== undefined)
        assert.equal(Object.prototype.toString.call(JSON.parse(reply)), '[object Object]')
    }
  })
})
