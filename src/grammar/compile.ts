/** What a reply must be, compiled: schemas read and checked, texts and numbers made automata. */
import { ServiceError } from '../errors.js'
import { Lexemes } from './lexemes.js'
import { type GrammarPlan, planOf } from './plan.js'
import { Refusal } from './refusal.js'
import { Rule } from './rule.js'
import { objectRule, schemaRule } from './schema-rules.js'
import type { Shape } from './shape.js'

/**
 * The grammar of a shape, which takes up to some hundred milliseconds to find.
 * @throws ServiceError `invalid_value`, naming the keyword and where it is, for a schema that can not be followed
 */
export function compile(shape: Shape): GrammarPlan {
  const lexemes = new Lexemes()
  const { length } = JSON.stringify(shape)
  switch (shape.kind) {
    case 'json':
      return planOf(objectRule(true, true, lexemes), length)
    case 'schema': {
      const rule = refused('response_format.json_schema.schema', () => schemaRule(shape.schema, lexemes))
      return planOf(rule, length)
    }
    case 'calls': {
      const { tools, choice, convention, parallel } = shape
      const functions = tools.flatMap(({ name, parameters = true, strict = false, index }, place) => {
        if (typeof choice === 'object' && choice.name !== name) return []
        const at = `tools[${index ?? place}].function.parameters`
        return [{ name, parameters: refused(at, () => objectRule(parameters, strict, lexemes)) }]
      })
      const call = callRule(functions, convention.argumentsKey)
      return planOf(call, length, { convention, isAuto: choice === 'auto', parallel })
    }
  }
}

/** The object of a call to any of these functions. */
function callRule(
  functions: readonly { readonly name: string; readonly parameters: Rule }[],
  argumentsKey: string,
): Rule {
  const name = (value: string) => complete([{ kind: 'values', values: [value] }])
  return complete(
    functions.map((one) => ({
      kind: 'object',
      properties: [
        { name: 'name', value: name(one.name), isRequired: true },
        { name: argumentsKey, value: one.parameters, isRequired: true },
      ],
      additional: undefined,
    })),
  )
}

function complete(alternatives: Rule['alternatives']): Rule {
  const rule = new Rule()
  rule.alternatives = alternatives
  rule.isProductive = true
  return rule
}

function refused<T>(param: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { pointer, reason } = error
    throw new ServiceError('invalid_value', `The schema at ${pointer} ${reason}.`, param)
  }
}
