import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type Lexicon, loadLexicon } from '#src/models/kokoro/phonemes/lexicon.js'
import { specialCase } from '#src/models/kokoro/phonemes/special.js'
import { checkpoint } from '../../../root.js'

describe('words that depend on their neighbours', () => {
  let lexicon: Lexicon
  before(() => {
    lexicon = loadLexicon(join(checkpoint('kokoro-82m'), 'lexicon'), 'us')
  })
  const cases: readonly (readonly [string, string, boolean | null, boolean, string | null])[] = [
    ['a', 'DT', false, false, 'ɐ'],
    ['A', 'NN', false, false, 'ˈA'],
    ['am', 'VBP', false, false, 'ɐm'],
    ['am', 'VBP', null, false, 'æm'],
    ['am', 'NN', false, false, 'ˌAˈɛm'],
    ['an', 'DT', true, false, 'ɐn'],
    ['AN', 'NNP', null, false, 'ˌAˈɛn'],
    ['I', 'PRP', false, false, 'ˌI'],
    ['I', 'NN', false, false, null],
    ['by', 'RB', false, false, 'bˈI'],
    ['by', 'IN', false, false, null],
    ['to', 'TO', false, false, 'tə'],
    ['to', 'TO', true, false, 'tʊ'],
    ['to', 'TO', null, false, 'tu'],
    ['TO', 'NNP', false, false, null],
    ['in', 'IN', false, false, 'ɪn'],
    ['in', 'IN', null, false, 'ˈɪn'],
    ['in', 'RP', false, false, 'ˈɪn'],
    ['the', 'DT', true, false, 'ði'],
    ['The', 'DT', false, false, 'ðə'],
    ['the', 'DT', null, false, 'ðə'],
    ['vs.', 'IN', false, false, 'vˈɜɹsəs'],
    ['used', 'VBD', false, true, 'jˈust'],
    ['used', 'VBD', false, false, 'jˈuzd'],
    ['used', 'VBN', false, true, 'jˈuzd'],
    ['%', 'NN', null, false, 'pəɹsˈɛnt'],
    ['&', 'CC', false, false, 'ænd'],
    ['.', 'ADD', false, false, 'dˌɑt'],
    ['.', '.', false, false, null],
    ['U.S.', 'NNP', false, false, 'jˌuˈɛs'],
    ['p.m.', 'NN', null, false, 'pˌiˈɛm'],
    ['St.', 'NNP', null, false, null],
    ['dog', 'NN', null, false, null],
  ]
  for (const [word, tag, futureVowel, futureTo, expected] of cases) {
    it(`${word}/${tag} before ${futureTo ? 'to' : futureVowel === null ? 'a clause end' : futureVowel ? 'a vowel' : 'a consonant'}`, () => {
      assert.equal(specialCase(lexicon, word, tag, null, { futureVowel, futureTo }), expected)
    })
  }
})
