import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Passages } from '#src/assistant/passages.js'
import { collected } from '../collected.js'

const signal = new AbortController().signal

async function cut(text: string, pieceLength = text.length || 1): Promise<string[]> {
  const passages = new Passages()
  for (let at = 0; at < text.length; at += pieceLength) passages.push(text.slice(at, at + pieceLength))
  passages.end()
  return collected(passages.read(signal))
}

describe('assistant/passages', () => {
  it('takes a sentence for a passage', async () => {
    const sentences = [
      'The river runs through the valley.',
      'It passes an old stone bridge.',
      'Nobody has crossed that bridge for years.',
    ]
    assert.deepEqual(await cut(sentences.join(' ')), sentences)
    assert.deepEqual(await cut(''), [])
    assert.deepEqual(await cut('  \n '), [])
    assert.deepEqual(await cut('no end'), ['no end'])
  })

  it('puts very short sentences together with a neighbour', async () => {
    assert.deepEqual(await cut('Yes. The river runs through the valley.'), [
      'Yes. The river runs through the valley.',
    ])
    assert.deepEqual(
      await cut('The river runs through the valley. It is long. Yes. It really is very long.'),
      ['The river runs through the valley.', 'It is long. Yes. It really is very long.'],
    )
    const long = `It goes on ${'and on '.repeat(20)}to the sea.`
    assert.deepEqual(await cut(`Yes. ${long} No.`), ['Yes.', long, 'No.'])
    const many = await cut('Go on. '.repeat(60))
    assert.ok(many.length > 3 && many.every((passage) => passage.length <= 100), many.join('|'))
  })

  it('cuts the same wherever the pieces end', async () => {
    const text =
      'Well. Mr. Smith arrived at 9 a.m. in the rain. Then he left! Why? Nobody knows, and nobody ever asked him about it. So. That was it.'
    const whole = await cut(text)
    for (const length of [1, 2, 3, 7, 20]) assert.deepEqual(await cut(text, length), whole)
    assert.equal(whole.join(' '), text)
  })

  it('gives the first passage as soon as its end is certain', async () => {
    const passages = new Passages()
    const read = passages.read(signal)
    const first = read.next()
    passages.push('The river runs through the valley. It passes ')
    assert.deepEqual(await first, { done: false, value: 'The river runs through the valley.' })
    let second: unknown
    const reading = read.next().then(({ value }) => {
      second = value
    })
    passages.push('an old stone bridge. ')
    await nextTurn()
    assert.equal(second, undefined, 'the next sentence may be a short one')
    passages.push('Nobody has crossed that bridge for years. It was ')
    await reading
    assert.equal(second, 'It passes an old stone bridge.')
    passages.end()
    assert.deepEqual(await collected(read), ['Nobody has crossed that bridge for years. It was'])
  })

  it('stops waiting when it is told to', async () => {
    const controller = new AbortController()
    const waiting = new Passages().read(controller.signal).next()
    controller.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
  })
})
