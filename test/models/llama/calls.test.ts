/** Whatever the pieces in which a reply comes, the same text and calls are found in it. */
import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import type { CallConvention } from '#src/grammar/shape.js'
import { CallReader } from '#src/models/llama/calls.js'
import { hermes, llama3, mistral } from '#src/models/llama/tools.js'

type Found = readonly (string | readonly [name: string, text: string])[]

function found(convention: CallConvention, text: string, size: () => number): Found {
  const reader = new CallReader(convention)
  const all: (string | [string, string])[] = []
  const take = (pieces: ReturnType<CallReader['push']>) => {
    let last = 0
    for (const piece of pieces) {
      assert.ok(piece.end >= last && piece.end <= text.length)
      last = piece.end
      const before = all.at(-1)
      if (piece.kind === 'call') all.push([piece.name, ''])
      else if (piece.kind === 'arguments') (before as [string, string])[1] += piece.text
      else if (piece.kind === 'text') {
        if (typeof before === 'string') all[all.length - 1] = before + piece.text
        else all.push(piece.text)
      }
    }
  }
  for (let at = 0; at < text.length; ) {
    const end = Math.min(text.length, at + size())
    take(reader.push(text.slice(at, end), end))
    at = end
  }
  take(reader.end(false))
  return all
}

const call = (name: string, args: string, key = 'arguments') => `{"name": "${name}", "${key}": ${args}}`
const tagged = (object: string) => `<tool_call>\n${object}\n</tool_call>`
const weather = '{"city": "Oslo", "tags": ["}", "]", "\\"{"]}'

const cases: [string, CallConvention, string, Found][] = [
  ['no call', hermes, 'Just text.', ['Just text.']],
  ['white space alone', hermes, ' \n ', [' \n ']],
  ['what only looks like one', hermes, 'a <tool_cal b <tool', ['a <tool_cal b <tool']],
  ['one call', hermes, tagged(call('f', '{}')), [['f', '{}']]],
  ['arguments with brackets in texts', hermes, tagged(call('f', weather)), [['f', weather]]],
  ['a name with an escape', hermes, tagged('{"name": "f\\u00e9", "arguments": {}}'), [['fé', '{}']]],
  [
    'two calls',
    hermes,
    `${tagged(call('f', '{}'))}\n${tagged(call('g', '{"a": 1}'))}`,
    [
      ['f', '{}'],
      ['g', '{"a": 1}'],
    ],
  ],
  ['text before', hermes, `I look.\n${tagged(call('f', '{}'))}`, ['I look.', ['f', '{}']]],
  ['text behind', hermes, `${tagged(call('f', '{}'))}\n\nDone.`, [['f', '{}'], 'Done.']],
  [
    'other white space',
    hermes,
    '<tool_call>{ "name" : "f" , "arguments" : {"a":1} }</tool_call>',
    [['f', '{"a":1}']],
  ],
  ['arguments first', hermes, tagged('{"arguments": {"a": 1}, "name": "f"}'), [['f', '{"a":1}']]],
  ['more keys', hermes, tagged('{"name": "f", "arguments": {"a": 1}, "id": {"b": 2}}'), [['f', '{"a": 1}']]],
  ['no end mark', hermes, `<tool_call>\n${call('f', '{}')}`, [['f', '{}']]],
  ['the beginning of an end mark', hermes, `<tool_call>\n${call('f', '{}')}\n</tool_c`, [['f', '{}']]],
  ['no object', hermes, 'a <tool_call> is this', ['a <tool_call> is this']],
  ['another object', hermes, tagged('{"city": "Oslo"}'), [tagged('{"city": "Oslo"}')]],
  ['no JSON', hermes, tagged('{"name": f}'), [tagged('{"name": f}')]],
  [
    'a name that is none',
    hermes,
    tagged('{"name": 1, "arguments": {}}'),
    [tagged('{"name": 1, "arguments": {}}')],
  ],
  ['arguments that are no object', hermes, tagged(call('f', '[1]')), [tagged(call('f', '[1]'))]],
  ['a cut name', hermes, '<tool_call>\n{"name": "f', ['<tool_call>\n{"name": "f']],
  ['cut arguments', hermes, `<tool_call>\n{"name": "f", "arguments": {"a": "b`, [['f', '{"a": "b']]],
  [
    'no call, then one',
    hermes,
    `<tool_call>no</tool_call>${tagged(call('f', '{}'))}`,
    ['<tool_call>no</tool_call>', ['f', '{}']],
  ],

  ['Llama: a call', llama3, call('f', weather, 'parameters'), [['f', weather]]],
  ['Llama: behind the tag', llama3, `<|python_tag|>${call('f', '{}', 'parameters')}`, [['f', '{}']]],
  [
    'Llama: two',
    llama3,
    `${call('f', '{}', 'parameters')}; ${call('g', '{}', 'parameters')}`,
    [
      ['f', '{}'],
      ['g', '{}'],
    ],
  ],
  ['Llama: text', llama3, `So: ${call('f', '{}', 'parameters')}`, [`So: ${call('f', '{}', 'parameters')}`]],
  ['Llama: another object', llama3, '{"a": {"name": "f"}} is it', ['{"a": {"name": "f"}} is it']],
  ['Llama: the tag alone', llama3, '<|python_tag|>print(1)', ['<|python_tag|>print(1)']],
  ['Llama: half a tag', llama3, '<|pyth', ['<|pyth']],

  ['Mistral: a call', mistral(''), `[TOOL_CALLS][${call('f', weather)}]`, [['f', weather]]],
  [
    'Mistral: with spaces and ids',
    mistral(' '),
    '[TOOL_CALLS] [{"name": "f", "arguments": {}, "id": "abcdefghi"}, {"name": "g", "arguments": {"a": 1}}]',
    [
      ['f', '{}'],
      ['g', '{"a": 1}'],
    ],
  ],
  ['Mistral: text before', mistral(''), `Well. [TOOL_CALLS][${call('f', '{}')}]`, ['Well.', ['f', '{}']]],
  ['Mistral: no list', mistral(''), '[TOOL_CALLS] none', ['[TOOL_CALLS] none']],
]

describe('models/llama/calls', () => {
  for (const [name, convention, text, wanted] of cases)
    it(`finds ${name}`, () => {
      assert.deepEqual(
        found(convention, text, () => 1000),
        wanted,
        'in one piece',
      )
      assert.deepEqual(
        found(convention, text, () => 1),
        wanted,
        'by characters',
      )
      const random = seededRandom(name)
      for (let round = 0; round < 30; round++)
        assert.deepEqual(
          found(convention, text, () => 1 + Math.floor(random() * 9)),
          wanted,
          'in pieces',
        )
    })

  it('leaves out what a limit cuts before the arguments, where a mark has said that it is a call', () => {
    const cut = (convention: CallConvention, text: string) => {
      const reader = new CallReader(convention)
      return [...reader.push(text, text.length), ...reader.end(true)].map((piece) =>
        piece.kind === 'text' ? piece.text : piece.kind,
      )
    }
    assert.deepEqual(cut(hermes, 'So.\n<tool_call>\n{"name": "f'), ['So.', 'syntax'])
    assert.deepEqual(cut(hermes, 'So. <tool_'), ['So.', ' <tool_'])
    assert.deepEqual(cut(llama3, '{"name": "Oslo'), ['{"name": "Oslo'])
  })

  it('tells text at once that can not begin a call', () => {
    const reader = new CallReader(hermes)
    assert.deepEqual(reader.push('Hello', 5), [{ kind: 'text', text: 'Hello', end: 5 }])
    assert.deepEqual(reader.push(' <', 7), [])
    assert.deepEqual(reader.push('b', 8), [{ kind: 'text', text: ' <b', end: 8 }])
  })

  it('reads a long call in time linear in its length', () => {
    const reader = new CallReader(hermes)
    reader.push('<tool_call>\n{"name": "f", "arguments": {"a": "', 46)
    const begun = performance.now()
    for (let i = 0; i < 100_000; i++) reader.push('word ', 46 + 5 * (i + 1))
    assert.ok(performance.now() - begun < 2000)
  })
})
