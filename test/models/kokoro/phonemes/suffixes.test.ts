import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type Lexicon, loadLexicon } from '#src/models/kokoro/phonemes/lexicon.js'
import {
  addEd,
  addIng,
  addS,
  inflected,
  stemOfEd,
  stemOfIng,
  stemOfS,
} from '#src/models/kokoro/phonemes/suffixes.js'
import { checkpoint } from '../../../root.js'

describe('the endings -s, -ed and -ing', () => {
  it('sound after the last phoneme of the stem', () => {
    assert.deepEqual(
      ['kˈæt', 'dˈɔɡ', 'bˈɑks', 'θˈIf'].map((stem) => addS(stem, 'us')),
      ['kˈæts', 'dˈɔɡz', 'bˈɑksᵻz', 'θˈIfs'],
    )
    assert.equal(addS('bˈɒks', 'gb'), 'bˈɒksɪz')
    assert.deepEqual(
      ['wˈɔk', 'hˈʌɡ', 'nˈid', 'ɹˈɛst', 'bˈæt'].map((stem) => addEd(stem, 'us')),
      ['wˈɔkt', 'hˈʌɡd', 'nˈidᵻd', 'ɹˈɛstᵻd', 'bˈæɾᵻd'],
    )
    assert.equal(addEd('bˈat', 'gb'), 'bˈatɪd')
    assert.equal(addEd('nˈiːd', 'gb'), 'nˈiːdɪd')
    assert.deepEqual(
      ['twˈit', 'tˈɛkst', 'ɡˌO'].map((stem) => addIng(stem, 'us')),
      ['twˈiɾɪŋ', 'tˈɛkstɪŋ', 'ɡˌOɪŋ'],
    )
    assert.equal(addIng('twˈiːt', 'gb'), 'twˈiːtɪŋ')
    assert.equal(addIng('kˈɑː', 'gb'), null)
  })

  it('are taken off to a known stem', () => {
    const words = new Set(['box', 'city', 'cat', 'bake', 'run', 'walk', 'panic', 'James', 'tie', 'hug'])
    const known = (word: string): boolean => words.has(word)
    assert.deepEqual(
      ['cats', 'boxes', 'cities', "James's", 'dress', 'as'].map((word) => stemOfS(word, known)),
      ['cat', 'box', 'city', 'James', null, null],
    )
    assert.deepEqual(
      ['baked', 'walked', 'tied', 'freed', 'hugged'].map((word) => stemOfEd(word, known)),
      ['bake', 'walk', 'tie', null, null],
    )
    assert.deepEqual(
      ['walking', 'baking', 'running', 'panicking', 'king'].map((word) => stemOfIng(word, known)),
      ['walk', 'bake', 'run', 'panic', null],
    )
  })

  it('make words of lexicon stems, in the right reading', () => {
    const lexicon: Lexicon = loadLexicon(join(checkpoint('kokoro-82m'), 'lexicon'), 'us')
    assert.equal(inflected(lexicon, 'GPUs', 'NNS', 0.5, null), 'ʤˌipˌijˈuz')
    assert.equal(inflected(lexicon, 'closes', 'VBZ', null, null), 'klˈOzᵻz')
    assert.equal(inflected(lexicon, 'googling', 'VBG', null, null), 'ɡˈuɡᵊlɪŋ')
    assert.equal(inflected(lexicon, 'zorblaxes', 'NNS', null, null), null)
  })
})
