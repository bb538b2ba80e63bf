/** How a reply writes the functions that it calls: JSON objects with `name` and the arguments, in this order. */
import type { CallConvention } from '../../grammar/shape.js'

/** Nous Research's Hermes, Qwen, and every model whose template knows no tools. */
export const hermes: CallConvention = {
  name: 'hermes',
  begin: '<tool_call>\n',
  between: '\n</tool_call>\n<tool_call>\n',
  end: '\n</tool_call>',
  argumentsKey: 'arguments',
}

/** Llama 3's is nothing but the object, which a special token may precede. */
export const llama3: CallConvention = {
  name: 'llama3',
  begin: '',
  between: '',
  end: '',
  argumentsKey: 'parameters',
}

/** @param space between the mark and the list: what the tokenizers of some models make of a new word */
export const mistral = (space: '' | ' '): CallConvention => ({
  name: 'mistral',
  begin: `[TOOL_CALLS]${space}[`,
  between: ', ',
  end: ']',
  argumentsKey: 'arguments',
})

/** The texts that a convention's calls stand between, which may be single tokens of their own. */
export const callMarks: Readonly<Record<CallConvention['name'], readonly string[]>> = {
  hermes: ['<tool_call>', '</tool_call>'],
  llama3: ['<|python_tag|>'],
  mistral: ['[TOOL_CALLS]'],
}
