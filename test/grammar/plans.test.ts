import assert from 'node:assert/strict'
import { Plans } from '#src/grammar/plans.js'
import type { Shape } from '#src/grammar/shape.js'

const schema = (schema: object): Shape => ({ kind: 'schema', schema: schema as Record<string, unknown> })

function refusal(plans: Plans, shape: Shape): unknown {
  try {
    plans.of(shape)
  } catch (error) {
    return error
  }
  return assert.fail('it was not refused')
}

describe('plans of grammars', () => {
  it('are data that can cross to another thread', () => {
    const shape = schema({
      type: 'object',
      properties: {
        list: { type: 'array', items: { $ref: '#' }, maxItems: 3 },
        word: { type: 'string', pattern: '^[a-zé]+$', minLength: 2, maxLength: 1e6 },
        size: { type: 'number', minimum: 0.5 },
      },
    })
    const plan = new Plans().of(shape)
    assert.deepEqual(structuredClone(plan), plan)
    assert.ok(plan.bytes > 20_000 && plan.bytes < 200_000, `${plan.bytes}`)
  })

  it('leave out what no value can come of', () => {
    const { rules } = new Plans().of(
      schema({
        type: 'object',
        properties: { a: false, b: { type: 'integer' } },
        additionalProperties: false,
      }),
    )
    const [form] = rules[0]!
    assert.ok(form?.kind === 'object')
    assert.deepEqual(
      form.properties.map(({ name }) => name),
      ['b'],
    )
  })

  it('are refused again without being compiled again, as long as not too many others were', () => {
    const plans = new Plans()
    const [one, other] = [schema({ not: {} }), schema({ not: { type: 'null' } })]
    const [first, second] = [refusal(plans, one), refusal(plans, other)]
    assert.equal(refusal(plans, structuredClone(one)), first)
    for (let index = 0; index < 63; index++) refusal(plans, schema({ not: { const: index } }))
    assert.equal(refusal(plans, one), first, 'it was asked for since')
    assert.notEqual(refusal(plans, other), second)
  })
})
