import assert from 'node:assert/strict'
import { Lexicon } from '#src/models/kokoro/phonemes/lexicon.js'

const gold = {
  record: { DEFAULT: 'ɹˈɛkəɹd', VERB: 'ɹəkˈɔɹd' },
  read: { DEFAULT: 'ɹˈid', VBD: 'ɹˈɛd' },
  can: { DEFAULT: 'kæn', None: 'kˈæn' },
  LED: { DEFAULT: 'lˈɛd', NOUN: null },
  Paris: 'pˈɛɹəs',
  Turkey: 'tˈɜɹki',
  turkey: 'tˈʊɹki',
  is: 'ɪz',
  L: 'ˈɛl',
  E: 'ˈi',
  D: 'dˈi',
  I: 'ˈI',
  S: 'ˈɛs',
}
const silver = { ide: 'ˈId', paris: 'wrong' }

describe('the lexicon', () => {
  const lexicon = new Lexicon('us', gold, silver)
  const vowel = { futureVowel: true, futureTo: false }

  it('reads an entry by tag, parent tag or default, and by the clause end', () => {
    assert.equal(lexicon.lookup('record', 'VBP', null, vowel), 'ɹəkˈɔɹd')
    assert.equal(lexicon.lookup('record', 'NN', null, vowel), 'ɹˈɛkəɹd')
    assert.equal(lexicon.lookup('read', 'VBD', null, vowel), 'ɹˈɛd')
    assert.equal(lexicon.lookup('read', 'VB', null, vowel), 'ɹˈid')
    assert.equal(lexicon.lookup('can', 'MD', null, vowel), 'kæn')
    assert.equal(lexicon.lookup('can', 'MD', null, { futureVowel: null, futureTo: false }), 'kˈæn')
    assert.equal(lexicon.lookup('can', 'MD', null, null), 'kæn')
  })

  it('serves Capitals from small letters and the reverse; what is written wins', () => {
    assert.equal(lexicon.lookup('Record', 'NN', null, null), 'ɹˈɛkəɹd')
    assert.equal(lexicon.lookup('paris', '', null, null), 'pˈɛɹəs')
    assert.equal(lexicon.lookup('Turkey', '', null, null), 'tˈɜɹki')
    assert.equal(lexicon.lookup('turkey', '', null, null), 'tˈʊɹki')
    assert.equal(lexicon.gold('l'), undefined)
  })

  it('spells what gold says to spell, and names in capitals that silver alone has', () => {
    assert.equal(lexicon.lookup('LED', 'NN', null, null), 'ˌɛlˌidˈi')
    assert.equal(lexicon.lookup('LED', 'VBD', null, null), 'lˈɛd')
    assert.equal(lexicon.lookup('IDE', 'NNP', null, null), 'ˌIdˌiˈi')
    assert.equal(lexicon.lookup('IDE', 'NN', null, null), 'ˈId')
    assert.equal(lexicon.lookup('IS', 'NNP', null, null), 'ˌIˈɛs')
    assert.equal(lexicon.spell('Lx'), null)
  })

  it('knows listed words, letters, signs and capitals', () => {
    for (const word of ['record', 'Record', 'ide', 'x', '%', 'XYZ', 'iOS'])
      assert.ok(lexicon.isKnown(word), word)
    for (const word of ['', 'xyz', 'é', 'constructor', '__proto__', 'a1'])
      assert.ok(!lexicon.isKnown(word), word)
  })
})
