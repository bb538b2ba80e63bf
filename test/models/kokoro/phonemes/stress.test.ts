import assert from 'node:assert/strict'
import { applyStress, balanceStress, stressWeight } from '#src/models/kokoro/phonemes/stress.js'

describe('stress', () => {
  const cases: readonly (readonly [string, number | null, string])[] = [
    ['hˈɛlpɪŋ', null, 'hˈɛlpɪŋ'],
    ['ˌɛlɪvˈAt', -2, 'ɛlɪvAt'],
    ['ˌɛlɪvˈAt', -1, 'ɛlɪvˌAt'],
    ['ˌɛlɪvˈAt', 0, 'ɛlɪvˌAt'],
    ['ˌɛlɪvˈAt', -0.5, 'ɛlɪvˌAt'],
    ['mˌi', 0, 'mˌi'],
    ['hi', 0.5, 'hˌi'],
    ['hi', 0, 'hˌi'],
    ['hi', 1, 'hˌi'],
    ['hi', 2, 'hˈi'],
    ['hi', -0.5, 'hi'],
    ['hmm', 2, 'hmm'],
    ['ˌʌs', 1, 'ˈʌs'],
    ['ˌʌs', 0.5, 'ˌʌs'],
    ['pˈɪɡpˌɛn', 2, 'pˈɪɡpˌɛn'],
  ]
  for (const [phonemes, level, expected] of cases) {
    it(`${phonemes} at ${level} is ${expected}`, () => assert.equal(applyStress(phonemes, level), expected))
  }

  it('counts diphthongs and affricates twice', () => {
    assert.equal(stressWeight('ʧA'), 4)
    assert.equal(stressWeight('tɛn'), 3)
  })

  const balanced = (texts: string[], firstIsLetter = false): string[] => {
    const parts = texts.map((phonemes) => ({ phonemes }))
    balanceStress(parts, firstIsLetter)
    return parts.map((part) => part.phonemes)
  }
  it('leaves one main stress to a word of several parts', () => {
    assert.deepEqual(balanced(['wˈɪn', 'wˈɪn']), ['wˌɪn', 'wˈɪn'])
    assert.deepEqual(balanced(['tˈi', 'ʃˈɜɹt'], true), ['tˈi', 'ʃˌɜɹt'])
    assert.deepEqual(balanced(['ˈʌp', 'tə', 'dˈAt']), ['ˈʌp', 'tə', 'dˈAt'])
    assert.deepEqual(balanced(['hˈɑɹd']), ['hˈɑɹd'])
    assert.deepEqual(balanced([]), [])
  })
})
