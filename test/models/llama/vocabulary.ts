/** A tokenizer of a few tokens, and scores that choose them. */
import { TokenChooser } from '#src/models/llama/chooser.js'
import { tokensAcross } from '#src/models/llama/reasoning.js'
import { type ReplyOptions, ReplyWriter } from '#src/models/llama/reply.js'
import type { GenerateEvent } from '#src/models/llama/request.js'
import type { Scores } from '#src/models/llama/work.js'
import type { Tokenizer } from '#src/text/tokenizer.js'

export const STOP = '<stop>'

/** Tokens by their texts or bytes; of `special` ones the text is not shown. */
export function tokenizerOf(
  tokens: readonly (string | Uint8Array)[],
  special: readonly string[] = [],
  leadingBlanks = 0,
): Tokenizer {
  const all = tokens.map((token) => (typeof token === 'string' ? Buffer.from(token) : token))
  return {
    vocabularySize: all.length,
    leadingBlanks,
    specialTokens: special,
    id: (text) => {
      const id = tokens.indexOf(text)
      return id < 0 ? undefined : id
    },
    bytes: (id, options) =>
      special.includes(tokens[id] as string) && !options?.keepSpecial ? new Uint8Array(0) : all[id]!,
    encode: () => [],
    decode: () => '',
  }
}

/** A whole row in which this token is the likeliest. */
export const row = (token: number, length: number): Scores => ({
  kind: 'row',
  logits: Float32Array.from({ length }, (_, id) => (id === token ? 5 : -id / 8)),
})

export const greedy = {
  temperature: 0,
  topP: 1,
  random: () => 0.5,
  frequency: 0,
  presence: 0,
  repetition: 1,
  bias: [],
}

export interface Told {
  readonly events: readonly GenerateEvent[]
  readonly text: string
  readonly reasoning: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly end: Extract<GenerateEvent, { kind: 'end' }>
  /** How many tokens it took. */
  readonly taken: number
}

/** What a reply tells when these tokens are chosen one after another, then the stop token. */
export function tell(
  script: readonly (string | Uint8Array)[],
  {
    special = [],
    topLogprobs,
    leadingBlanks = 0,
    ...given
  }: Partial<ReplyOptions> & {
    special?: readonly string[]
    topLogprobs?: number
    leadingBlanks?: number
  } = {},
): Told {
  const vocabulary = [...new Set([STOP, ...special, ...script])]
  const tokenizer = tokenizerOf(vocabulary, [STOP, ...special], leadingBlanks)
  const events: GenerateEvent[] = []
  const reply = new ReplyWriter({
    index: 0,
    chooser: new TokenChooser({ ...greedy, topLogprobs }, [], vocabulary.length),
    tokenizer,
    stopTokens: new Set([0]),
    stop: [],
    maxTokens: 10_000,
    thoughts: 'none',
    across: tokensAcross(tokenizer),
    emit: (event) => events.push(event),
    ...given,
  })
  let taken = 0
  for (const token of [...script, STOP]) {
    const { kind } = reply.next(row(vocabulary.indexOf(token), vocabulary.length))
    if (kind === 'end') break
    taken++
  }
  return { ...summary(events), taken }
}

export function summary(events: readonly GenerateEvent[]): Omit<Told, 'taken'> {
  const calls: { id: string; name: string; arguments: string }[] = []
  let [text, reasoning] = ['', '']
  for (const event of events)
    if (event.kind === 'text') text += event.text
    else if (event.kind === 'reasoning') reasoning += event.text
    else if (event.kind === 'call') calls.push({ id: event.id, name: event.name, arguments: '' })
    else if (event.kind === 'arguments') calls[event.call]!.arguments += event.text
  const end = events.at(-1)
  if (end?.kind !== 'end') throw new Error('the reply has not ended')
  return { events, text, reasoning, calls, end }
}
