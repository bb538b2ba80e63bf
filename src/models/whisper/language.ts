import { argmax, logSumExp } from '../../decoding/sampler.js'
import { ServiceError } from '../../errors.js'
import type { Sequence } from './sequence.js'
import type { SpecialTokens } from './tokens.js'

/** Probabilities of the languages, by code: softmax over their tokens alone, right after the start of transcript. */
export async function languageProbabilities(
  sequence: Sequence,
  { startOfTranscript, languages }: SpecialTokens,
): Promise<Map<string, number>> {
  const [logits] = await sequence.feed([startOfTranscript], 0, [0])
  const scores = Float32Array.from(languages.values(), (id) => logits![id]!)
  const total = logSumExp(scores)
  return new Map([...languages.keys()].map((code, i) => [code, Math.exp(scores[i]! - total)]))
}

export async function likeliestLanguage(sequence: Sequence, special: SpecialTokens): Promise<string> {
  const probabilities = await languageProbabilities(sequence, special)
  return [...probabilities.keys()][argmax(Float32Array.from(probabilities.values()))]!
}

/** @throws ServiceError unless the model knows the language. */
export function checkLanguage(code: string, { languages }: SpecialTokens): string {
  const known = code.trim().toLowerCase()
  if (languages.has(known)) return known
  const message = `The language ${JSON.stringify(code)} is not known: use one of ${[...languages.keys()].join(', ')}.`
  throw new ServiceError('invalid_value', message, 'language')
}
