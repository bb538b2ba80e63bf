import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { SentenceStream, splitSentences } from '#src/text/sentences.js'

const cases: [text: string, sentences: string[]][] = [
  ['Hello there. How are you?', ['Hello there.', 'How are you?']],
  ['Dr. Smith met Mrs. Jones. They talked.', ['Dr. Smith met Mrs. Jones.', 'They talked.']],
  ['Use fruit, e.g. apples. Then eat, i.e. Chew it.', ['Use fruit, e.g. apples.', 'Then eat, i.e. Chew it.']],
  ['The U.S. Army left. It was late.', ['The U.S. Army left.', 'It was late.']],
  ['He lives in the U.S. He likes it.', ['He lives in the U.S.', 'He likes it.']],
  ['Pi is 3.14 or so. Really 3.5 is not.', ['Pi is 3.14 or so.', 'Really 3.5 is not.']],
  ['We meet at 9 a.m. on Monday. Bring tea.', ['We meet at 9 a.m. on Monday.', 'Bring tea.']],
  ['We meet at 9 a.m. Monday. Bring tea.', ['We meet at 9 a.m. Monday.', 'Bring tea.']],
  ['It ended at 9 p.m. Then we left.', ['It ended at 9 p.m.', 'Then we left.']],
  ['J. K. Rowling wrote it. George W. Bush read it.', ['J. K. Rowling wrote it.', 'George W. Bush read it.']],
  ['We chose plan B. Then it rained.', ['We chose plan B.', 'Then it rained.']],
  ['So do I. Mary left.', ['So do I.', 'Mary left.']],
  ['Well... maybe. Fine... I agree.', ['Well... maybe.', 'Fine...', 'I agree.']],
  ['Well… maybe. Fine… I agree.', ['Well… maybe.', 'Fine…', 'I agree.']],
  ['He said "Stop." Then he left.', ['He said "Stop."', 'Then he left.']],
  ['“Stop!” he said. “Why?” she asked.', ['“Stop!” he said.', '“Why?” she asked.']],
  ['"What?!" he cried. No answer.', ['"What?!" he cried.', 'No answer.']],
  ['“Go!” “No!” They argued.', ['“Go!”', '“No!”', 'They argued.']],
  ['I went (it was late.) Then I slept.', ['I went (it was late.)', 'Then I slept.']],
  ['I saw it (in the U.S.) and left. Bye.', ['I saw it (in the U.S.) and left.', 'Bye.']],
  [
    'See https://example.org/a.b?c=d&e=1.5 for more. Thanks!',
    ['See https://example.org/a.b?c=d&e=1.5 for more.', 'Thanks!'],
  ],
  [
    'Visit www.example.com. Then call me@host.org. Bye.',
    ['Visit www.example.com.', 'Then call me@host.org.', 'Bye.'],
  ],
  ['Use Node.js v20.1.0. It works.', ['Use Node.js v20.1.0.', 'It works.']],
  ['Shopping:\n- eggs\n- milk\n\nThat is all.', ['Shopping:', '- eggs', '- milk', 'That is all.']],
  [
    'Steps:\n1. Mix it. Stir well.\n2. Bake.\n3. Eat',
    ['Steps:', '1. Mix it.', 'Stir well.', '2. Bake.', '3. Eat'],
  ],
  ['a. First\nb. Second\nIV. Fourth', ['a. First', 'b. Second', 'IV. Fourth']],
  [
    'This is a line\nthat was wrapped, and\r\nit goes on. Done.',
    ['This is a line\nthat was wrapped, and\r\nit goes on.', 'Done.'],
  ],
  ['Title\n\nFirst paragraph.\n\nSecond one.', ['Title', 'First paragraph.', 'Second one.']],
  ['It cost 5 dollars. 10 came back.', ['It cost 5 dollars.', '10 came back.']],
  [
    'See No. 5 and Fig. 3 on p. 12. No. I will not.',
    ['See No. 5 and Fig. 3 on p. 12.', 'No.', 'I will not.'],
  ],
  ['He was born on Jan. 5, 1990. In Dec. He left.', ['He was born on Jan. 5, 1990.', 'In Dec.', 'He left.']],
  [
    'Apple Inc. Reports rose. She works at Apple Inc. The pay is good.',
    ['Apple Inc. Reports rose.', 'She works at Apple Inc.', 'The pay is good.'],
  ],
  [
    'Martin Luther King Jr. Day is in January. He is John Jr. He is ten.',
    ['Martin Luther King Jr. Day is in January.', 'He is John Jr.', 'He is ten.'],
  ],
  [
    'He lives on Main St. The house is red. St. Mary is a saint.',
    ['He lives on Main St.', 'The house is red.', 'St. Mary is a saint.'],
  ],
  [
    'She has a Ph.D. in maths. He has a Ph.D. They met.',
    ['She has a Ph.D. in maths.', 'He has a Ph.D.', 'They met.'],
  ],
  [
    'We bought apples, pears, etc. Then we ate. Eat pears, etc. and so on.',
    ['We bought apples, pears, etc.', 'Then we ate.', 'Eat pears, etc. and so on.'],
  ],
  ['**Bold claim.** Next one. _Really?_ Yes.', ['**Bold claim.**', 'Next one.', '_Really?_', 'Yes.']],
  ['A fact.[1] Another.[2][3] End.', ['A fact.[1]', 'Another.[2][3]', 'End.']],
  ['Great! 😀 See you. 👍🏽', ['Great!', '😀 See you.', '👍🏽']],
  ['Really?! Yes!!! Wow?? Ok.', ['Really?!', 'Yes!!!', 'Wow??', 'Ok.']],
  ['今日は晴れです。明日は雨です！本当？はい。', ['今日は晴れです。', '明日は雨です！', '本当？', 'はい。']],
  ['Привет. Как дела? Хорошо!', ['Привет.', 'Как дела?', 'Хорошо!']],
  ['no punctuation at all', ['no punctuation at all']],
  ['', []],
  ['  \n\t ', []],
  ['...', ['...']],
  ['Hi', ['Hi']],
  ['  Leading. And trailing.  ', ['Leading.', 'And trailing.']],
  ['Smith et al. Nature, 2001. It was cited.', ['Smith et al. Nature, 2001.', 'It was cited.']],
  ['It was Mr. Brown vs. The State. He won.', ['It was Mr. Brown vs. The State.', 'He won.']],
  ['“It is 5 p.m.” He nodded.', ['“It is 5 p.m.”', 'He nodded.']],
  [
    "The temp. is 20°C. It's 30% more. $5.50 is due.",
    ['The temp. is 20°C.', "It's 30% more.", '$5.50 is due.'],
  ],
  ['I like it; really: it works. (Mostly.) Good.', ['I like it; really: it works.', '(Mostly.)', 'Good.']],
  ['Yes. No. Maybe.', ['Yes.', 'No.', 'Maybe.']],
  ['How many? 12. That is a lot.', ['How many?', '12.', 'That is a lot.']],
  ['Call 555.1234 at 10:30. Ask for T. S. Eliot.', ['Call 555.1234 at 10:30.', 'Ask for T. S. Eliot.']],
  ['Wait — what? Oh, never mind.', ['Wait — what?', 'Oh, never mind.']],
  [
    'The D.C. office closed. He moved to Washington, D.C. It was cold.',
    ['The D.C. office closed.', 'He moved to Washington, D.C.', 'It was cold.'],
  ],
]

/** The sentences of a text pushed in pieces of the lengths that `size` gives. */
function streamed(text: string, size: () => number): string[] {
  const stream = new SentenceStream()
  const sentences: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = at + size()
    sentences.push(...stream.push(text.slice(at, end)))
    at = end
  }
  return [...sentences, ...stream.end()]
}

const withoutSpace = (text: string) => text.replace(/\s+/g, '')

describe('splitSentences', () => {
  for (const [text, sentences] of cases) {
    it(`splits ${JSON.stringify(text).slice(0, 70)}`, () => {
      assert.deepEqual(splitSentences(text), sentences)
      assert.equal(withoutSpace(splitSentences(text).join('')), withoutSpace(text))
    })
  }

  it('cuts an endless sentence at a space, and never inside a character', () => {
    const words = splitSentences('word '.repeat(1000).trim())
    assert.ok(
      words.length > 1 && words.every((piece) => piece.length <= 2000 && /^(word )*word$/.test(piece)),
    )
    const emoji = splitSentences(`x${'🙂'.repeat(3000)}`)
    assert.ok(emoji.length > 1 && emoji.every((piece) => piece.isWellFormed()))
  })

  it('takes time linear in hostile texts', () => {
    const start = performance.now()
    for (const unit of [
      'a',
      ' ',
      '\n',
      '!',
      '.',
      ')',
      '. ',
      '.) ',
      'a.',
      'A. ',
      '."',
      '*',
      '1. ',
      'He. ',
      '\n#',
      '🙂',
    ]) {
      splitSentences(unit.repeat(300_000 / unit.length))
      splitSentences(`.${unit.repeat(100_000 / unit.length)}`)
    }
    assert.ok(performance.now() - start < 10_000)
  })
})

describe('SentenceStream', () => {
  for (const [text] of cases) {
    it(`splits ${JSON.stringify(text).slice(0, 60)} alike, character by character`, () => {
      assert.deepEqual(
        streamed(text, () => 1),
        splitSentences(text),
      )
    })
  }

  it('gives a sentence as soon as the first word of the next is whole', () => {
    const stream = new SentenceStream()
    assert.deepEqual(stream.push('Hello there.'), [])
    assert.deepEqual(stream.push(' How'), [])
    assert.deepEqual(stream.push(' are'), ['Hello there.'])
    assert.deepEqual(stream.push(' you? I '), ['How are you?'])
    assert.deepEqual(stream.end(), ['I'])
    assert.deepEqual(stream.end(), [])
  })

  it('makes no difference between pieces, for random texts of awkward parts', () => {
    const parts = [
      ...[
        'a',
        'B',
        'I',
        ' ',
        '  ',
        '\n',
        '\r\n',
        '\n\n',
        '.',
        '!',
        '?',
        '…',
        '...',
        '"',
        '”',
        '“',
        ')',
        '(',
        '*',
        '**',
        '_',
      ],
      ...[
        '1',
        '23',
        'Dr',
        'U.S',
        'p.m',
        'e.g',
        'No',
        'Inc',
        'The',
        'He',
        'word',
        'Word',
        'é',
        'É',
        '。',
        '中',
        '😀',
        '- ',
      ],
      ...[
        '[1]',
        ',',
        ';',
        ':',
        "'",
        'it’s',
        '𝔘',
        '\u0301',
        '#',
        '$',
        '\u00a0',
        '\u2028',
        'the',
        'x.y',
        ' . ',
        '1. ',
      ],
    ]
    const random = seededRandom(4)
    const below = (end: number) => Math.floor(random() * end)
    for (let round = 0; round < 5000; round++) {
      let text = ''
      for (let count = 1 + below(25); count > 0; count--)
        text += parts[below(parts.length)] + (below(3) ? '' : ' ')
      const whole = splitSentences(text)
      assert.equal(withoutSpace(whole.join('')), withoutSpace(text))
      assert.deepEqual(
        streamed(text, () => 1),
        whole,
      )
      assert.deepEqual(
        streamed(text, () => 1 + below(9)),
        whole,
      )
    }
  })

  it('cuts endless sentences at the same places, whatever the pieces', () => {
    const random = seededRandom(5)
    const text = 'and then e.g. '.repeat(500)
    assert.deepEqual(
      streamed(text, () => 1 + Math.floor(random() * 500)),
      splitSentences(text),
    )
  })
})
