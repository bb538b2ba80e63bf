import assert from 'node:assert/strict'
import { spokenForm } from '#src/models/kokoro/phonemes/spoken.js'
import { tokenise } from '#src/models/kokoro/phonemes/tokens.js'

/** Tokens with `·` for a blank after them. */
const cut = (text: string): string =>
  tokenise(text)
    .map(({ text: token, space }) => token + (space ? '·' : ''))
    .join('|')

describe('cutting text into tokens', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['Hello, world!', 'Hello|,·|world|!'],
    ['  two\n\nlines ', 'two·|lines'],
    ['"Why?" (he)', '"|Why|?|"·|(|he|)'],
    ['Wait... no…', 'Wait|...·|no|…'],
    ['Dr. Brown, etc. end.', 'Dr.·|Brown|,·|etc.·|end|.'],
    ['the U.S. at 7 p.m.', 'the·|U.S.·|at·|7·|p.m.'],
    ['J. R. is I. The FBI.', 'J.·|R.·|is·|I.·|The·|FBI|.'],
    ['No. 5 or no.', 'No.·|5·|or·|no|.'],
    ["I've, the dogs' '80s", "I|'ve|,·|the·|dogs|'·|'80s"],
    ['well-known A-Z', 'well-known·|A-Z'],
    ['no—really--yes', 'no|—|really|—|yes'],
    ['$12.99. -5', '$|12.99|.·|-5'],
    ['end.Start one,two 1,000', 'end|.|Start·|one|,|two·|1,000'],
    ['**bold** `x`', '*|*|bold|*|*·|`|x|`'],
    ['at 10:30.', 'at·|10·|30|.'],
    ['Wi‑Fi co\u00ADop \u0007', 'Wi-Fi·|coop'],
  ]
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.equal(cut(text), expected))

  it('marks addresses and leaves out their scheme', () => {
    for (const [text, address] of [
      ['https://a.org/b/', 'a.org/b'],
      ['www.a.b', 'www.a.b'],
      ['bob@mail.net', 'bob@mail.net'],
      ['readme.txt', 'readme.txt'],
      ['google.com', 'google.com'],
    ] as const) {
      assert.deepEqual(
        tokenise(`(${text}).`).filter((token) => token.address),
        [{ text: address, space: false, address: true }],
        text,
      )
    }
    for (const text of ['end.', 'U.S.', '2.0.1', 'a/b', 'and/or', '3.14']) {
      assert.ok(
        tokenise(text).every((token) => !token.address),
        text,
      )
    }
  })
})

describe('written forms that are read as other words', () => {
  const cases: readonly (readonly [string, string, string | null])[] = [
    ['10:30', '', '10 30'],
    ['12:05', '', '12 oh 5'],
    ['8:00', '', "8 o'clock"],
    ['8:00', 'PM', '8'],
    ['21:00', '', '21 hundred'],
    ['7:15pm', '', '7 15 p.m.'],
    ['16:90', '', '16 to 90'],
    ['20°C', '', '20 degrees Celsius'],
    ['90°', '', '90 degrees'],
    ['2½', '', '2 and a half'],
    ['=', '', 'equals'],
    ['St.', 'Paul', 'Saint'],
    ['St.', 'in', 'Street'],
    ['word', '', null],
    ['42', '', null],
  ]
  for (const [written, next, expected] of cases) {
    it(`${written} ${next}`, () => assert.equal(spokenForm(written, next)?.words.join(' ') ?? null, expected))
  }
})
