import assert from 'node:assert/strict'
import { logSumExp } from '#src/decoding/sampler.js'
import { TokenChooser } from '#src/models/llama/chooser.js'
import { tokenLogprob, tokenText } from '#src/models/llama/logprobs.js'
import { greedy, tokenizerOf } from './vocabulary.js'

const choose = (options: Partial<ConstructorParameters<typeof TokenChooser>[0]>, logits: readonly number[]) =>
  new TokenChooser({ ...greedy, ...options }, [], logits.length).choose({
    kind: 'row',
    logits: Float32Array.from(logits),
  })

describe('models/llama/chooser', () => {
  it('adds the bias', () => {
    assert.equal(choose({}, [1, 2, 3])?.token, 2)
    assert.equal(
      choose(
        {
          bias: [
            [2, -100],
            [0, 1.5],
          ],
        },
        [1, 2, 3],
      )?.token,
      0,
    )
  })

  it('penalises what it has chosen before', () => {
    const chooser = new TokenChooser({ ...greedy, frequency: 0.75 }, [], 3)
    const draw = () => chooser.choose({ kind: 'row', logits: Float32Array.of(3, 2, 1) })?.token
    assert.deepEqual([draw(), draw(), draw(), draw(), draw()], [0, 0, 1, 0, 1])
  })

  it('tells how likely tokens were by the network alone', () => {
    const logits = [1, 2, 3, -Infinity]
    const total = logSumExp(Float32Array.from(logits))
    const chosen = choose({ bias: [[0, 100]], temperature: 0, topLogprobs: 2 }, logits)!
    assert.equal(chosen.token, 0)
    assert.deepEqual(chosen.told, {
      token: 0,
      logprob: 1 - total,
      top: [
        { token: 2, logprob: 3 - total },
        { token: 1, logprob: 2 - total },
      ],
    })
    const masked = new TokenChooser({ ...greedy, frequency: 2, topLogprobs: 1 }, [], logits.length)
    const row = () => ({ kind: 'row', logits: Float32Array.from(logits) }) as const
    const told = [
      masked.choose(row()),
      masked.choose(row()),
      masked.choose(row(), (edited) => edited.fill(-Infinity, 1, 4)),
    ].map((one) => one!.told!)
    assert.deepEqual(
      told.map(({ token, logprob }) => [token, logprob]),
      [
        [2, 3 - total],
        [1, 2 - total],
        [0, 1 - total],
      ],
    )
    for (const { top } of told) assert.deepEqual(top, [{ token: 2, logprob: 3 - total }])
    assert.deepEqual(choose({ topLogprobs: 0 }, logits)!.told!.top, [])
    assert.equal(choose({}, logits)!.told, undefined)
  })

  it('masks last', () => {
    const chooser = new TokenChooser({ ...greedy, bias: [[2, 50]] }, [], 3)
    const seen: number[][] = []
    const chosen = chooser.choose({ kind: 'row', logits: Float32Array.of(1, 2, 3) }, (logits) => {
      seen.push([...logits])
      logits[2] = -Infinity
    })
    assert.equal(chosen?.token, 1)
    assert.deepEqual(seen, [[1, 2, 53]])
  })
})

describe('models/llama/logprobs', () => {
  it('writes tokens that are no whole characters by their bytes', () => {
    const cases: [number[], string][] = [
      [[...Buffer.from('é🙂 a')], 'é🙂 a'],
      [[0xf0, 0x9f], '\\xf0\\x9f'],
      [[0x99, 0x82, 0x21], '\\x99\\x82!'],
      [[0x61, 0xc3], 'a\\xc3'],
      [[0xc0, 0x80], '\\xc0\\x80'],
      [[0xed, 0xa0, 0x80], '\\xed\\xa0\\x80'],
      [[0xef, 0xbb, 0xbf], '\ufeff'],
      [[], ''],
    ]
    for (const [bytes, text] of cases) assert.equal(tokenText(Uint8Array.from(bytes)), text)
  })

  it('tells of special tokens by their texts, and of what can not come by -9999', () => {
    const tokenizer = tokenizerOf(['<stop>', Uint8Array.of(0xc3)], ['<stop>'])
    const top = [{ token: 0, logprob: -Infinity }]
    assert.deepEqual(tokenLogprob({ token: 1, logprob: -0.5, top }, tokenizer), {
      token: '\\xc3',
      bytes: [0xc3],
      logprob: -0.5,
      top: [{ token: '<stop>', bytes: [...Buffer.from('<stop>')], logprob: -9999 }],
    })
  })
})
