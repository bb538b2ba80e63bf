/** Which tokens can come next: worked out from a configuration, kept as the shorter of two lists. */
import { after, afterSpecial, type Configuration, landed, type Stack, type Thread } from './configuration.js'
import type { Pool } from './pool.js'
import { closed, type State } from './state.js'
import type { TokenSet } from './token-set.js'
import type { TokenTrie } from './token-trie.js'

export interface Mask {
  /** Whether `tokens` are those that can come, or those that can not. */
  readonly allows: boolean
  /** Ascending. */
  readonly tokens: Uint32Array
}

/** The mask of a configuration. A token may come if its last byte may, whatever would have to follow. */
export function maskOf(at: Configuration, tokens: TokenSet, pool: Pool): Mask {
  const { vocabulary, plain, other, special } = tokens
  const allowed = new Uint32Array(Math.ceil(vocabulary.size / 32))
  const allow = (id: number) => {
    allowed[id >>> 5]! |= 1 << (id & 31)
  }
  const longest = plain.upTo.length - 1
  const open = at.threads.reduce((most, { state }) => Math.max(most, state.open), 0)
  if (open >= longest) allowed.set(plain.all)
  else {
    const count = plain.upTo[open]!
    for (let index = 0; index < count; index++) allow(plain.byLength[index]!)
    for (const thread of at.threads) if (thread.state.open === closed) walk(plain.trie, thread, allow, pool)
  }
  for (const thread of at.threads) walk(other, thread, allow, pool)
  if (at.threads.some(({ state }) => state.anySpecial)) special.forEach(allow)
  for (const id of at.threads.flatMap(({ state }) => state.specials))
    if (afterSpecial(at, id, pool)) allow(id)
  if (at.ends) vocabulary.stopTokens.forEach(allow)
  return listed(allowed, vocabulary.size)
}

/** Allows all tokens of a trie that a thread can read. As long as it stays within one automaton, tables tell. */
function walk(trie: TokenTrie, from: Thread, allow: (id: number) => void, pool: Pool): void {
  const { bytes, depths, ends, firsts, tokens, deepest } = trie
  const states: (State | undefined)[] = new Array(deepest + 1)
  const stacks: (Stack | undefined)[] = new Array(deepest + 1)
  const configurations: (Configuration | undefined)[] = new Array(deepest + 1)
  const put = (depth: number, configuration: Configuration) => {
    const thread = configuration.threads.length === 1 ? configuration.threads[0] : undefined
    states[depth] = thread?.state
    stacks[depth] = thread?.stack
    configurations[depth] = thread ? undefined : configuration
  }
  states[0] = from.state
  stacks[0] = from.stack
  for (let node = 0; node < bytes.length; ) {
    const depth = depths[node]!
    const state = states[depth - 1]
    if (state) {
      const next = state.next(bytes[node]!)
      if (!next) {
        node = ends[node]!
        continue
      }
      const stack = stacks[depth - 1]!
      if (next.isInner) {
        states[depth] = next
        stacks[depth] = stack
      } else put(depth, landed(next, stack, pool))
    } else {
      const next = after(configurations[depth - 1]!, bytes[node]!, pool)
      if (!next) {
        node = ends[node]!
        continue
      }
      put(depth, next)
    }
    for (let index = firsts[node]!; index < firsts[node + 1]!; index++) allow(tokens[index]!)
    node++
  }
}

function listed(allowed: Uint32Array, size: number): Mask {
  let count = 0
  for (let word = 0; word < allowed.length; word++) count += ones(allowed[word]!)
  const allows = count <= size / 2
  const tokens = new Uint32Array(allows ? count : size - count)
  let index = 0
  for (let word = 0; word < allowed.length; word++) {
    let bits = allows ? allowed[word]! : ~allowed[word]!
    for (; bits !== 0; bits &= bits - 1) {
      const id = word * 32 + 31 - Math.clz32(bits & -bits)
      if (id < size) tokens[index++] = id
    }
  }
  return { allows, tokens }
}

/** How many bits are set (Hacker's Delight, figure 5-2). */
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** −Infinity for every logit that the mask does not allow, those beyond the vocabulary included. */
export function applyMask({ allows, tokens }: Mask, logits: Float32Array, size: number): void {
  if (!allows) {
    for (let index = 0; index < tokens.length; index++) logits[tokens[index]!] = -Infinity
    logits.fill(-Infinity, size)
    return
  }
  const kept = new Float32Array(tokens.length)
  for (let index = 0; index < tokens.length; index++) kept[index] = logits[tokens[index]!]!
  logits.fill(-Infinity)
  for (let index = 0; index < tokens.length; index++) logits[tokens[index]!] = kept[index]!
}
