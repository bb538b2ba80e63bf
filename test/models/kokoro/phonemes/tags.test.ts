import assert from 'node:assert/strict'
import { tagTokens } from '#src/models/kokoro/phonemes/tags.js'
import { tokenise } from '#src/models/kokoro/phonemes/tokens.js'

const tagged = (text: string): Map<string, string> =>
  new Map(tagTokens(tokenise(text)).map(({ text: word, tag }) => [word, tag]))

describe('parts of speech', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['They record songs.', 'record', /^VB/],
    ['A new record fell.', 'record', /^NN/],
    ['Will you record it?', 'record', /^VB/],
    ['Record the song.', 'Record', /^VB/],
    ['I did not object to it.', 'object', /^VB/],
    ['The object is red.', 'object', /^NN/],
    ['They live here.', 'live', /^VB/],
    ['A live show.', 'live', /^JJ/],
    ['It is close.', 'close', /^JJ/],
    ['Please close it.', 'close', /^VB/],
    ['The usual suspects are here.', 'suspects', /^NNS/],
    ['She has read it.', 'read', /^VBN/],
    ['I want to read it.', 'read', /^VB$/],
    ['He read it.', 'read', /^VB[DP]/],
    ['They used to go.', 'used', /^VBD/],
    ['It is used to cut.', 'used', /^VBN/],
    ['I am used to it.', 'used', /^JJ/],
    ['I know that.', 'that', /^DT/],
    ['I know that she is here.', 'that', /^IN/],
    ['A test that can fail.', 'that', /^IN/],
    ['The US and us.', 'US', /^NNP/],
    ['In 1984 it rained.', '1984', /^CD/],
    ['The 3rd day.', '3rd', /^JJ/],
    ['It costs $5.', '$', /^\$/],
    ['Look - here.', '-', /^:/],
    ['Go to a.com now', 'a.com', /^ADD/],
  ]
  for (const [text, word, expected] of cases) {
    it(`${word} in "${text}"`, () => assert.match(tagged(text).get(word) ?? 'absent', expected))
  }

  it('tells opening from closing quotes', () => {
    const tags = (text: string): string[] => tagTokens(tokenise(text)).map(({ tag }) => tag)
    assert.deepEqual(
      tags('"Hi" "yo"').filter((tag) => tag.length === 2 && /\W/.test(tag)),
      ['``', "''", '``', "''"],
    )
    assert.deepEqual(tags("'Why?'"), ['``', 'WRB', '.', "''"])
    assert.equal(tags("dogs' bowls")[1], 'POS')
  })
})
