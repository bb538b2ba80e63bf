/** Replies in the tokens of SmolLM2: what a grammar takes, and what comes of choosing by its masks alone. */
import assert from 'node:assert/strict'
import { compile } from '#src/grammar/compile.js'
import type { Grammar } from '#src/grammar/grammar.js'
import { Grammars } from '#src/grammar/grammars.js'
import type { JsonSchema, Shape, Vocabulary } from '#src/grammar/shape.js'
import { type TokenSet, tokenSet } from '#src/grammar/token-set.js'
import { grammarVocabulary } from '#src/models/llama/vocabulary.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { checkpoint } from '../root.js'

export const tokenizer = loadTokenizer(checkpoint('smollm2-135m-instruct'))
export const stopToken = tokenizer.id('<|im_end|>')!
export const vocabulary: Vocabulary = grammarVocabulary(
  tokenizer,
  tokenizer.vocabularySize,
  new Set([stopToken]),
)

/** Grammars as requests get them: compiled on one thread, used on another. */
export class Compiler {
  private readonly grammars: Grammars
  private tokens: TokenSet | undefined

  constructor(private readonly vocabulary: Vocabulary) {
    this.grammars = new Grammars(vocabulary)
  }

  compile(shape: Shape): Grammar {
    this.tokens ??= structuredClone(tokenSet(this.vocabulary))
    return this.grammars.find(shape) ?? this.grammars.add(shape, structuredClone(compile(shape)), this.tokens)
  }
}

export const grammars = new Compiler(vocabulary)
export const schemaGrammar = (schema: JsonSchema): Grammar => grammars.compile({ kind: 'schema', schema })

/** A vocabulary whose tokens are single bytes; 256 ends the text, those behind are special. */
export function byteVocabulary(
  specials: readonly string[] = [],
  missing: readonly number[] = [],
): Vocabulary {
  return {
    size: 257 + specials.length,
    bytes: (id) => (id < 256 && !missing.includes(id) ? Uint8Array.of(id) : new Uint8Array(0)),
    stopTokens: new Set([256]),
    specialId: (text) => (specials.includes(text) ? 257 + specials.indexOf(text) : undefined),
  }
}

/** Whether a reply of these tokens and a stop token is allowed by every mask on its way. */
export function takesTokens(grammar: Grammar, ids: readonly number[], of: Vocabulary): boolean {
  const constraint = grammar.begin()
  const logits = new Float32Array(of.size)
  const [stop] = of.stopTokens
  for (const id of [...ids, stop!]) {
    logits.fill(0)
    constraint.mask(logits)
    if (logits[id] !== 0) {
      assert.throws(() => constraint.accept(id), /can not come here/, 'a mask forbids what is taken')
      return false
    }
    constraint.accept(id)
  }
  return true
}

/** The same for a text, as the tokenizer writes it. */
export function takes(grammar: Grammar, text: string): boolean {
  const ids = tokenizer.encode(text)
  assert.equal(tokenizer.decode(ids), text, 'the tokenizer has no token for a character of this text')
  return takesTokens(grammar, ids, vocabulary)
}

const firstToken = (text: string) => tokenizer.encode(text)[0]!
const enders = [stopToken, ...['"', '1', '}', ']', '"}', '"]'].map(firstToken)]
const closers = ['"', '}', ']', '"}', '"]', '",', ',', '":'].map(firstToken)

/**
 * A reply whose tokens are drawn from those that the masks allow; after 60 of them, what closes is preferred.
 * Undefined if it has not come to its end after `most`.
 */
export function randomReply(grammar: Grammar, random: () => number, most = 1000): string | undefined {
  const constraint = grammar.begin()
  const logits = new Float32Array(vocabulary.size)
  const pieces: Uint8Array[] = []
  while (pieces.length < most) {
    logits.fill(0)
    constraint.mask(logits)
    const first = Math.floor(random() * logits.length)
    const drawn = [logits.indexOf(0, first), logits.indexOf(0)].find((id) => id >= 0)
    assert.ok(drawn !== undefined, `nothing can come behind ${Buffer.concat(pieces)}`)
    const [list, chance] = pieces.length < 60 ? [closers, 0.15] : [enders, 0.9]
    const preferred = random() < chance ? list.filter((id) => logits[id] === 0) : []
    const token = preferred[pieces.length < 60 ? Math.floor(random() * preferred.length) : 0] ?? drawn
    constraint.accept(token)
    if (token === stopToken) {
      const bytes = Buffer.concat(pieces)
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    }
    pieces.push(tokenizer.bytes(token))
  }
  return undefined
}
