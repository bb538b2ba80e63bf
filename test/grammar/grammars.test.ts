import assert from 'node:assert/strict'
import { SetupError } from '#src/errors.js'
import type { Vocabulary } from '#src/grammar/shape.js'
import { collectGarbage } from '../garbage.js'
import {
  byteVocabulary,
  Compiler,
  schemaGrammar,
  takes,
  takesTokens,
  tokenizer,
  vocabulary,
} from './replies.js'

const bytes = byteVocabulary()
const ofBytes = new Compiler(bytes)
const takesBytes = (schema: object | boolean, text: string | Uint8Array): boolean =>
  takesTokens(ofBytes.compile({ kind: 'schema', schema: schema as never }), [...Buffer.from(text)], bytes)

describe('masks', () => {
  it('leave exactly what can come, and change nothing of it', () => {
    const constraint = schemaGrammar({ enum: ['yes', 'no', 12] }).begin()
    const logits = Float32Array.from({ length: vocabulary.size + 3 }, (_, id) => id / 7)
    constraint.mask(logits)
    const left = [...logits.keys()].filter((id) => logits[id] !== -Infinity)
    const texts = ['"', '"y', '"no', '1', '12'].map((text) => [text, ...tokenizer.encode(text)])
    const expected = texts.flatMap(([, ...ids]) => (ids.length === 1 ? ids : []))
    for (const id of expected) assert.ok(left.includes(id as number), `${id}`)
    for (const id of left) {
      assert.equal(logits[id], Math.fround(id / 7))
      const text = Buffer.from(tokenizer.bytes(id)).toString()
      assert.ok(
        ['"yes"', '"no"', '12'].some((value) => text !== '' && value.startsWith(text)),
        text,
      )
    }
  })

  it('allow a stop token where the text may end, and only there', () => {
    const constraint = ofBytes.compile({ kind: 'schema', schema: { type: 'integer', minimum: 0 } }).begin()
    const mayStop = () => {
      const logits = new Float32Array(bytes.size)
      constraint.mask(logits)
      return logits[256] === 0
    }
    assert.ok(!mayStop())
    constraint.accept('1'.charCodeAt(0))
    assert.ok(mayStop())
    constraint.accept(256)
    assert.throws(() => constraint.mask(new Float32Array(bytes.size)), /nothing comes after/)
    assert.throws(() => constraint.accept(256), /can not come/)
  })

  it('are the same for whole words as for their bytes', () => {
    const schemas = [
      { type: 'string', maxLength: 5 },
      { type: 'string', pattern: '^[a-z]+ é?$', maxLength: 9 },
      { type: 'string', pattern: 'h', minLength: 4, maxLength: 6 },
      { type: 'string', pattern: '^[a-z]*$', maxLength: 4 },
      { type: 'object', properties: { the: { type: 'string', minLength: 2 } } },
      { type: 'array', items: { anyOf: [{ type: 'number' }, { type: 'string', pattern: '^the .{1,6}$' }] } },
    ]
    const starts = [
      '',
      '"',
      '"th',
      '"the ',
      '{',
      '{"the": "',
      '{"the": "a\\',
      '[1',
      '["the ',
      '["the c',
      '["the cat", ',
    ]
    for (const schema of schemas) {
      const byByte = ofBytes.compile({ kind: 'schema', schema })
      const byWord = schemaGrammar(schema)
      for (const start of starts) {
        const judge = () => {
          const constraint = byByte.begin()
          for (const byte of Buffer.from(start)) constraint.accept(byte)
          return constraint
        }
        const words = byWord.begin()
        try {
          judge()
        } catch {
          continue // not a beginning of this schema's values
        }
        for (const id of tokenizer.encode(start)) words.accept(id)
        const logits = new Float32Array(vocabulary.size)
        words.mask(logits)
        for (let id = 0; id < vocabulary.size; id += 7) {
          const of = vocabulary.bytes(id)
          if (of.length === 0) continue
          const constraint = judge()
          let expected = true
          try {
            for (const byte of of) constraint.accept(byte)
          } catch {
            expected = false
          }
          assert.equal(logits[id] === 0, expected, `${JSON.stringify(schema)} ${start} + ${Buffer.from(of)}`)
        }
      }
    }
  }).timeout(30_000)

  it('are worked out again after a grammar forgot them', () => {
    const schema = {
      type: 'array',
      items: { type: 'string', pattern: '^[a-z]*$', minLength: 400 },
      minItems: 1,
    }
    const grammar = ofBytes.compile({ kind: 'schema', schema })
    const text = `["${'abcdefghij'.repeat(500)}","${'z'.repeat(4000)}"]`
    assert.ok(takesTokens(grammar, [...Buffer.from(text)], bytes))
    assert.ok(!takesTokens(grammar, [...Buffer.from('["abc"]')], bytes))
  })

  it('take no more memory the longer a reply gets', async () => {
    const spaced: Vocabulary = {
      ...bytes,
      size: bytes.size + 24,
      bytes: (id) => (id < bytes.size ? bytes.bytes(id) : Buffer.from(`\n${' '.repeat(id - bytes.size)}`)),
    }
    const schema = { type: 'array', items: { type: 'integer' }, maxItems: 2000 }
    const grammar = new Compiler(spaced).compile({ kind: 'schema', schema })
    const used = async (items: number) => {
      const text = JSON.stringify(Array.from({ length: items }, () => 1))
      assert.ok(takesTokens(grammar, [...Buffer.from(text)], spaced))
      await collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const short = await used(200)
    const long = await used(1200)
    assert.ok(long - short < 8e6, `${long - short} bytes for 1000 items more`)
  })

  it('are kept by grammars that are compiled once', () => {
    const shape = { kind: 'schema', schema: { const: 'kept' } } as const
    const grammar = ofBytes.compile(shape)
    assert.equal(ofBytes.compile(structuredClone(shape)), grammar)
    for (let index = 0; index < 70; index++) ofBytes.compile({ kind: 'schema', schema: { const: index } })
    assert.notEqual(ofBytes.compile(shape), grammar)
  })
})

describe('strings', () => {
  it('that are full can only end', () => {
    for (const schema of [
      { type: 'string', maxLength: 1 },
      { type: 'string', pattern: '^[^"]$' },
    ]) {
      const constraint = ofBytes.compile({ kind: 'schema', schema }).begin()
      const logits = new Float32Array(bytes.size)
      for (const byte of Buffer.from('"a')) constraint.accept(byte)
      constraint.mask(logits)
      assert.deepEqual(
        [...logits.keys()].filter((id) => logits[id] === 0),
        [0x22],
      )
    }
  })

  it('have every escape of a character, counted as one', () => {
    const one = { type: 'string', minLength: 1, maxLength: 1 }
    for (const text of ['é', '😀', '\\u00e9', '\\ud83d\\uDE00', '\\n', '\\/', '\\"', '\\\\', '\\u0000', ' '])
      assert.ok(takesBytes(one, `"${text}"`), text)
    for (const text of [
      '',
      'ab',
      '\\ud83d',
      '\\ude00',
      '\\ud83dx',
      '\\ud83d\\u0041',
      '\\x41',
      '\n',
      '\\u12',
      '\u0001',
    ])
      assert.ok(!takesBytes(one, `"${text}"`), text)
  })

  it('match patterns by what they say, not by how they are written', () => {
    const schema = { type: 'string', pattern: '^(é"|😀\\n)$' }
    for (const text of ['é\\"', '\\u00E9\\u0022', '😀\\n', '\\ud83d\\ude00\\u000a'])
      assert.ok(takesBytes(schema, `"${text}"`), text)
    for (const text of ['e\\"', '\\u00e8\\"', '\\ud83d\\ude01\\n', '😀\\\\n'])
      assert.ok(!takesBytes(schema, `"${text}"`), text)
  })

  it('are well-formed UTF-8 to the byte', () => {
    const quoted = (...inner: number[]) => Uint8Array.from([0x22, ...inner, 0x22])
    const any = { type: 'string' }
    for (const good of [
      [0xc3, 0xa9],
      [0xed, 0x9f, 0xbf],
      [0xf0, 0x90, 0x80, 0x80],
      [0xf4, 0x8f, 0xbf, 0xbf],
    ])
      assert.ok(takesBytes(any, quoted(...good)), `${good}`)
    for (const bad of [
      [0x80],
      [0xc3],
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x80, 0x80, 0xaf],
      [0xf4, 0x90, 0x80, 0x80],
      [0xff],
    ])
      assert.ok(!takesBytes(any, quoted(...bad)), `${bad}`)
  })

  it('are written with escapes where the vocabulary lacks bytes', () => {
    const lacking = byteVocabulary([], [0xc3])
    const grammar = new Compiler(lacking).compile({ kind: 'schema', schema: { enum: ['né'] } })
    assert.ok(takesTokens(grammar, [...Buffer.from('"n\\u00e9"')], lacking))
    const free = new Compiler(lacking).compile({ kind: 'schema', schema: { type: 'string' } })
    assert.ok(takesTokens(free, [...Buffer.from('"ж"')], lacking))
    const logits = new Float32Array(lacking.size)
    const constraint = free.begin()
    constraint.accept(0x22)
    constraint.mask(logits)
    assert.equal(logits[0xd0], 0)
    assert.equal(logits[0xc3], -Infinity)
  })

  it('can not be written at all without some bytes', () => {
    const silent: Vocabulary = byteVocabulary([], [0x22])
    assert.throws(() => new Compiler(silent).compile({ kind: 'json' }), SetupError)
  })
})

describe('objects', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'string' }, ab: { type: 'null' } },
    required: ['b'],
  }
  it('have their properties in order, each at most once, then others', () => {
    const good = [
      '{"b":""}',
      '{"a": 1, "b": ""}',
      '{"a":1,"b":"","ab":null,"c":[],"abc":{}}',
      '{"b": "", "": 0}',
      '{\n  "b": ""\n}',
    ]
    const bad = [
      '{}',
      '{"b":"","a":1}',
      '{"b":"","b":""}',
      '{"a":1,"a":1,"b":""}',
      '{"b":"",}',
      '{"b":"","x":1',
      '{"b":"","\\u0061":"x"}',
      '{"b":"","x":1,"a":"x"}',
      '{"b" :""}',
      '{"b":\t""}',
      '{"b":""} ',
    ]
    for (const text of good) assert.ok(takesBytes(schema, text), text)
    for (const text of bad) assert.ok(!takesBytes(schema, text), text)
  })

  it('have white space, but not for ever', () => {
    assert.ok(takesBytes(schema, `{\n${' '.repeat(24)}"b": ""}`))
    assert.ok(!takesBytes(schema, `{\n${' '.repeat(25)}"b": ""}`))
    assert.ok(!takesBytes(schema, '{\n\n"b": ""}'))
    assert.ok(!takesBytes(schema, '{  "b": ""}'))
  })

  it('nest so deep where nothing says how', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
    assert.ok(takesBytes(true, nested(32)))
    assert.ok(!takesBytes(true, nested(33)))
  })
})

describe('a grammar in SmolLM2’s tokens', () => {
  it('takes JSON as people print it', () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, list: { items: { type: 'number' } } },
      required: ['name'],
    }
    const value = { name: 'Zoë "Z" 😀', list: [1, -2.5, 3e10], more: { deep: [null, true] } }
    for (const indent of [0, 1, 2, 4])
      assert.ok(takes(schemaGrammar(schema), JSON.stringify(value, null, indent)), `${indent}`)
    assert.ok(takes(schemaGrammar(schema), '{"name": "x", "list": [1, 2]}'))
  })
})
