import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { TokenChooser } from '#src/models/llama/chooser.js'
import { ReplyWriter } from '#src/models/llama/reply.js'
import type { GenerateEvent } from '#src/models/llama/request.js'
import { hermes, llama3, mistral } from '#src/models/llama/tools.js'
import { greedy, row, STOP, type Told, tell, tokenizerOf } from './vocabulary.js'

const kinds = ({ events }: Told) => events.map(({ kind }) => kind)
const bytes = (text: string) => [...Buffer.from(text)].map((byte) => Uint8Array.of(byte))

describe('models/llama/reply', () => {
  it('tells text token by token, and how it ended', () => {
    const { events, taken } = tell(['Hel', 'lo', '!'])
    assert.deepEqual(events, [
      { kind: 'text', choice: 0, text: 'Hel' },
      { kind: 'text', choice: 0, text: 'lo' },
      { kind: 'text', choice: 0, text: '!' },
      { kind: 'end', choice: 0, reason: 'stop', completionTokens: 3, reasoningTokens: 0 },
    ])
    assert.equal(taken, 3)
  })

  it('ends at the limit with the token that reaches it, which no step has to follow', () => {
    const { text, end, taken } = tell(['a', 'b', 'c'], { maxTokens: 2 })
    assert.deepEqual([text, end.reason, end.completionTokens, taken], ['ab', 'length', 2, 1])
    const none = tell(['a'], { maxTokens: 0 })
    assert.deepEqual([none.text, none.end.reason, none.end.completionTokens], ['', 'length', 0])
  })

  it('holds bytes back until they are characters, and drops those that the end cuts', () => {
    const whole = tell([...bytes('é🙂'), 'x'])
    assert.deepEqual(
      whole.events.map((event) => (event.kind === 'text' ? event.text : event.kind)),
      ['é', '🙂', 'x', 'end'],
    )
    assert.equal(tell(['a', ...bytes('🙂').slice(0, 3)]).text, 'a')
  })

  it('begins without the blank that some tokenizers put before a text', () => {
    assert.equal(tell([' ', ' Hello', ' you'], { leadingBlanks: 1 }).text, ' Hello you')
    assert.equal(tell([' Hello', ' you'], { leadingBlanks: 1 }).text, 'Hello you')
  })

  it('leaves special tokens out', () => {
    assert.equal(tell(['a', '<|x|>', 'b'], { special: ['<|x|>'] }).text, 'ab')
  })

  describe('stop strings', () => {
    it('end it across tokens and are never told', () => {
      const { text, end, events } = tell(['one', ' EN', 'D', ' two'], { stop: ['END'] })
      assert.deepEqual([text, end.reason, end.completionTokens], ['one ', 'stop', 3])
      assert.ok(!events.some((event) => event.kind === 'text' && event.text.includes('E')))
    })

    it('are text where they are not complete', () => {
      assert.equal(tell(['one', ' EN', 'd'], { stop: ['END'] }).text, 'one ENd')
      assert.equal(tell(['one', ' EN'], { stop: ['END'] }).text, 'one EN')
      assert.equal(tell(['one', ' EN'], { stop: ['END'], maxTokens: 2 }).text, 'one EN')
    })

    it('are no end of thoughts and calls', () => {
      const { reasoning, text, calls } = tell(
        [
          'END',
          '</think>',
          'a',
          '<tool_call>\n{"name": "f", "arguments": {"x": "END"',
          '}}',
          '\n</tool_call>',
        ],
        { stop: ['END'], thoughts: 'begun', calls: hermes },
      )
      assert.deepEqual([reasoning, text, calls[0]?.arguments], ['END', 'a', '{"x": "END"}'])
    })
  })

  describe('thoughts', () => {
    it('are told apart, without the white space around them', () => {
      const told = tell(['<think>', '\n', 'Hm', '. ', 'So', '\n', '</think>', '\n\n', 'Yes', '.'], {
        thoughts: 'possible',
      })
      assert.deepEqual([told.reasoning, told.text], ['Hm. So', 'Yes.'])
      assert.deepEqual([told.end.reasoningTokens, told.end.completionTokens], [7, 10])
      assert.equal(kinds(told).lastIndexOf('reasoning') < kinds(told).indexOf('text'), true)
    })

    it('may have begun in the prompt', () => {
      const told = tell(['\nHm.', '</', 'think>', 'Yes'], { thoughts: 'begun' })
      assert.deepEqual([told.reasoning, told.text, told.end.reasoningTokens], ['Hm.', 'Yes', 3])
    })

    it('may be cut by the limit', () => {
      const told = tell(['<think>', 'Hm', ' </th'], { thoughts: 'possible', maxTokens: 3, topLogprobs: 0 })
      assert.deepEqual([told.reasoning, told.text, told.end.reason], ['Hm </th', '', 'length'])
      assert.deepEqual(kinds(told), ['reasoning', 'reasoning', 'end'])
    })

    it('are special tokens in some vocabularies', () => {
      const special = ['<think>', '</think>']
      const told = tell(['<think>', 'Hm', '</think>', 'Yes'], { thoughts: 'possible', special })
      assert.deepEqual([told.reasoning, told.text], ['Hm', 'Yes'])
    })

    it('are not expected of a model that knows none, or that answers at once', () => {
      assert.equal(tell(['<think>', 'a'], { thoughts: 'none' }).text, '<think>a')
      assert.equal(tell(['<thi', 's'], { thoughts: 'possible' }).text, '<this')
      assert.equal(tell(['a <think>'], { thoughts: 'possible' }).text, 'a <think>')
      assert.equal(tell(['<thi'], { thoughts: 'possible' }).text, '<thi')
    })
  })

  describe('calls', () => {
    it('are told as they are written', () => {
      const told = tell(
        ['<tool_call>', '\n{"na', 'me": "f", "arg', 'uments": ', '{"x"', ': 1', '}', '}\n</tool', '_call>'],
        {
          calls: hermes,
        },
      )
      assert.deepEqual(
        told.events.map((event) => ('text' in event ? [event.kind, event.text] : [event.kind])),
        [['call'], ['arguments', '{"x"'], ['arguments', ': 1'], ['arguments', '}'], ['end']],
      )
      assert.equal(told.calls[0]!.name, 'f')
      assert.match(told.calls[0]!.id, /^call_[A-Za-z0-9]{24}$/)
      assert.equal(told.end.reason, 'calls')
    })

    it('have ids of their own', () => {
      const ids = Array.from(
        { length: 50 },
        () => tell(['{"name": "f", "parameters": {}}'], { calls: llama3 }).calls[0]!.id,
      )
      assert.equal(new Set(ids).size, 50)
    })

    it('end by the limit, too', () => {
      const told = tell(['<tool_call>\n{"name": "f", "arguments": {"x"'], {
        calls: hermes,
        maxTokens: 1,
        topLogprobs: 0,
      })
      assert.deepEqual([told.text, told.calls[0]!.arguments, told.end.reason], ['', '{"x"', 'length'])
      assert.deepEqual(kinds(told), ['call', 'arguments', 'end'])
    })

    it('may be marked by special tokens', () => {
      const special = ['[TOOL_CALLS]']
      const told = tell(['Well. ', '[TOOL_CALLS]', '[{"name": "f", "arguments": {}}]'], {
        calls: mistral(''),
        special,
      })
      assert.deepEqual([told.text, told.calls[0]!.name], ['Well.', 'f'])
      assert.equal(tell(['[TOOL_CALLS]', 'x'], { special }).text, 'x')
    })
  })

  describe('probabilities', () => {
    const logprobs = (told: Told) =>
      told.events.flatMap((event) =>
        event.kind === 'text' ? [[event.text, ...(event.logprobs ?? []).map(({ token }) => token)]] : [],
      )

    it('come with the text in which tokens end', () => {
      assert.deepEqual(logprobs(tell(['a', 'b'], { topLogprobs: 0 })), [
        ['a', 'a'],
        ['b', 'b'],
      ])
      assert.deepEqual(logprobs(tell(['x', ...bytes('🙂'), 'y'], { topLogprobs: 0 })), [
        ['x', 'x'],
        ['🙂', '\\xf0', '\\x9f', '\\x99', '\\x82'],
        ['y', 'y'],
      ])
    })

    it('wait with what may be a stop string, and go with it', () => {
      assert.deepEqual(logprobs(tell(['a', ' E', 'N', 'x'], { topLogprobs: 0, stop: ['END'] })), [
        ['a', 'a'],
        [' '],
        ['ENx', ' E', 'N', 'x'],
      ])
      assert.deepEqual(logprobs(tell(['a', 'b E', 'N', 'D'], { topLogprobs: 0, stop: ['END'] })), [
        ['a', 'a'],
        ['b '],
        ['', 'b E'],
      ])
    })

    it('are of the answer only', () => {
      const told = tell(
        ['<think>', 'Hm', '</think>', 'Yes', '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'],
        {
          thoughts: 'possible',
          calls: hermes,
          topLogprobs: 0,
        },
      )
      assert.deepEqual(logprobs(told), [['Yes', 'Yes']])
    })

    it('are all told of any text in any pieces', () => {
      const random = seededRandom(8)
      for (let round = 0; round < 300; round++) {
        const all = Buffer.from('aé🙂E EN END'.repeat(2).slice(0, 3 + Math.floor(random() * 20)))
        const pieces: Uint8Array[] = []
        for (let at = 0; at < all.length; ) {
          const length = 1 + Math.floor(random() * 4)
          pieces.push(all.subarray(at, at + length))
          at += length
        }
        const told = tell(pieces, { topLogprobs: 1, stop: ['never', 'ENE'] })
        const given = told.events.flatMap((event) => (event.kind === 'text' ? (event.logprobs ?? []) : []))
        assert.deepEqual(
          given.flatMap((token) => [...token.bytes]),
          [...all],
        )
        assert.equal(told.text, new TextDecoder().decode(all))
      }
    })
  })

  it('asks for the row where the largest logits do not decide, and at once where they never do', () => {
    const tokenizer = tokenizerOf(['<stop>', 'a', 'b', 'c'])
    const events: GenerateEvent[] = []
    const make = (
      given: Partial<typeof greedy> & { topLogprobs?: number },
      constraint?: { mask(): void; accept(): void },
    ) =>
      new ReplyWriter({
        index: 1,
        chooser: new TokenChooser({ ...greedy, ...given }, [], 100),
        tokenizer,
        constraint,
        stopTokens: new Set([0]),
        stop: [],
        maxTokens: 9,
        thoughts: 'none',
        across: [],
        emit: (event) => events.push(event),
      })
    const top = { kind: 'top', ids: [2, 1], logits: Float32Array.of(3, 1), logSumExp: 5 } as const
    assert.deepEqual(make({}).next(top), { kind: 'token', token: 2 })
    assert.deepEqual(events, [{ kind: 'text', choice: 1, text: 'b' }])
    const drawing = make({ temperature: 1, random: () => 0.9 })
    assert.equal(drawing.needsRow, false)
    assert.deepEqual(drawing.next(top), { kind: 'row' })
    assert.deepEqual(drawing.next(row(1, 100)), { kind: 'token', token: 1 })
    for (const given of [{ frequency: 1 }, { presence: -1 }, { repetition: 1.1 }, { topLogprobs: 0 }])
      assert.equal(make(given).needsRow, true)
    assert.equal(make({}, { mask() {}, accept() {} }).needsRow, true)
  })

  describe('its constraint', () => {
    /** Allows what it is told to, one token after another. */
    function only(...tokens: number[]) {
      const accepted: number[] = []
      return {
        accepted,
        mask: (logits: Float32Array) => {
          const allowed = tokens[accepted.length] ?? 0
          logits.forEach((_, id) => {
            if (id !== allowed) logits[id] = -Infinity
          })
        },
        accept: (token: number) => {
          accepted.push(token)
        },
      }
    }

    it('has the last word, and is told of what it allowed', () => {
      const constraint = only(2, 1)
      const { text, end } = tell(['a', 'b', 'a'], { constraint })
      assert.deepEqual([text, end.reason, end.completionTokens], ['ba', 'stop', 2])
      assert.deepEqual(constraint.accepted, [2, 1])
    })

    it('begins behind the thoughts', () => {
      // Tokens by order: stop, <think>, Hm, </think>, a, b.
      const constraint = only(5)
      const script = ['<think>', 'Hm', '</think>', 'a', 'b']
      const told = tell(script, { constraint, thoughts: 'possible' })
      assert.deepEqual([told.reasoning, told.text], ['Hm', 'b'])
      assert.deepEqual(constraint.accepted, [5])
    })

    it('begins behind the thoughts, too, where their mark has several tokens', () => {
      // Tokens by order: stop, >\n, Hm, </, think, >no, yes. In place of what is forbidden comes the first that is not.
      const constraint = only(6)
      const told = tell(['>\n', 'Hm', '</', 'think', '>no', 'yes'], { constraint, thoughts: 'begun' })
      assert.deepEqual([told.reasoning, told.text, told.end.reason], ['>\nHm', 'yes', 'stop'])
    })

    it('lets thoughts be the end only where no answer has to come', () => {
      // Tokens by order: stop, <think>, Hm, </think>, b. The likeliest beside the stop token is the next.
      const constraint = only(4)
      const script = ['<think>', 'Hm', STOP, '</think>', 'b']
      const told = tell(script, { constraint, thoughts: 'possible' })
      assert.deepEqual([told.reasoning, told.text, told.end.reason], ['Hm<think>', 'b', 'stop'])
      assert.deepEqual(constraint.accepted, [4])
      const free = tell(['<think>', 'Hm'], { constraint: only(), thoughts: 'possible' })
      assert.deepEqual([free.reasoning, free.text, free.end.reason], ['Hm', '', 'stop'])
    })
  })
})
