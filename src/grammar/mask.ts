/** Which tokens can come next: worked out from a configuration, kept in the shortest form. */
import { after, afterSpecial, type Configuration, landed, type Stack, type Thread } from './configuration.js'
import type { Pool } from './pool.js'
import { closed, type Exits } from './state.js'
import { Together } from './together.js'
import type { TokenSet } from './token-set.js'
import type { TokenTrie } from './token-trie.js'

/** The ids that can come or those that can not, ascending; or, where both are many, one bit for each id, set if it can. */
export interface Mask {
  readonly kind: 'allowed' | 'forbidden' | 'bits'
  readonly words: Uint32Array
}

/** The mask of a configuration. A token may come if its last byte may, whatever would have to follow. */
export function maskOf(at: Configuration, tokens: TokenSet, pool: Pool): Mask {
  const { size, stopTokens, plain, other, special } = tokens
  const allowed = new Uint32Array(Math.ceil(size / 32))
  const allow = (id: number) => {
    allowed[id >>> 5]! |= 1 << (id & 31)
  }
  const longest = plain.upTo.length - 1
  const open = at.threads.reduce((most, { state }) => Math.max(most, state.open), 0)
  if (open >= longest) allowed.set(plain.all)
  else {
    const count = plain.upTo[open]!
    for (let index = 0; index < count; index++) allow(plain.byLength[index]!)
    const others = at.threads.filter(({ state }) => state.open === closed)
    if (others.length > 0) walkAll(plain.trie, others, allow, pool)
  }
  if (at.threads.length > 0) walkAll(other, at.threads, allow, pool)
  if (at.threads.some(({ state }) => state.anySpecial)) special.forEach(allow)
  for (const id of at.threads.flatMap(({ state }) => state.specials))
    if (afterSpecial(at, id, pool)) allow(id)
  if (at.ends) stopTokens.forEach(allow)
  return shortest(allowed, size)
}

/** Allows all tokens of a trie that any of these threads can read. */
function walkAll(trie: TokenTrie, threads: readonly Thread[], allow: (id: number) => void, pool: Pool): void {
  const { bytes, depths, ends, firsts, tokens, deepest } = trie
  const start = { node: 0, end: bytes.length, path: [] }
  if (threads.length === 1) {
    walk(trie, threads[0]!, start, allow, pool)
    return
  }
  const reached = [
    Together.of(
      threads.map(({ state }) => state.exits),
      pool,
    ),
  ]
  const path = new Uint8Array(deepest)
  for (let node = 0; node < bytes.length; ) {
    const depth = depths[node]!
    const next = reached[depth - 1]!.after(bytes[node]!)
    if (next === null || next === 'apart') {
      const part = { node, end: ends[node]!, path: path.subarray(0, depth - 1) }
      if (next) for (const thread of threads) walk(trie, thread, part, allow, pool)
      node = ends[node]!
      continue
    }
    path[depth - 1] = bytes[node]!
    reached[depth] = next
    for (let index = firsts[node]!; index < firsts[node + 1]!; index++) allow(tokens[index]!)
    node++
  }
}

/** Nodes of a trie, and the bytes that lead to the first of them. */
interface Part {
  readonly node: number
  readonly end: number
  readonly path: Iterable<number>
}

/** Allows all tokens of a part that a thread can read. As long as it stays within one automaton, tables tell. */
function walk(
  trie: TokenTrie,
  from: Thread,
  { node: first, end, path }: Part,
  allow: (id: number) => void,
  pool: Pool,
): void {
  const { bytes, depths, ends, firsts, tokens, deepest } = trie
  const exits: (Exits | undefined)[] = new Array(deepest + 1)
  const stacks: (Stack | undefined)[] = new Array(deepest + 1)
  const configurations: (Configuration | undefined)[] = new Array(deepest + 1)
  const put = (depth: number, configuration: Configuration) => {
    const thread = configuration.threads.length === 1 ? configuration.threads[0] : undefined
    exits[depth] = thread?.state.exits
    stacks[depth] = thread?.stack
    configurations[depth] = thread ? undefined : configuration
  }
  let at: Configuration | undefined = { threads: [from], ends: false }
  for (const byte of path) at = at && after(at, byte, pool)
  if (!at) return
  put(depths[first]! - 1, at)
  for (let node = first; node < end; ) {
    const depth = depths[node]!
    const here = exits[depth - 1]
    if (here) {
      const next = here.after(bytes[node]!)
      if (!next) {
        node = ends[node]!
        continue
      }
      const stack = stacks[depth - 1]!
      if (next.isInner) {
        exits[depth] = next
        stacks[depth] = stack
      } else put(depth, landed(next.state, stack, pool))
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

function shortest(allowed: Uint32Array, size: number): Mask {
  let count = 0
  for (let word = 0; word < allowed.length; word++) count += ones(allowed[word]!)
  const isFew = count <= size / 2
  const listed = isFew ? count : size - count
  if (listed > allowed.length) return { kind: 'bits', words: allowed }
  const words = new Uint32Array(listed)
  let index = 0
  for (let word = 0; word < allowed.length; word++) {
    let bits = isFew ? allowed[word]! : ~allowed[word]!
    for (; bits !== 0; bits &= bits - 1) {
      const id = word * 32 + 31 - Math.clz32(bits & -bits)
      if (id < size) words[index++] = id
    }
  }
  return { kind: isFew ? 'allowed' : 'forbidden', words }
}

/** How many bits are set (Hacker's Delight, figure 5-2). */
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** −Infinity for every logit that the mask does not allow, those beyond the vocabulary included. */
export function applyMask({ kind, words }: Mask, logits: Float32Array, size: number): void {
  switch (kind) {
    case 'allowed': {
      const kept = new Float32Array(words.length)
      for (let index = 0; index < words.length; index++) kept[index] = logits[words[index]!]!
      logits.fill(-Infinity)
      for (let index = 0; index < words.length; index++) logits[words[index]!] = kept[index]!
      return
    }
    case 'forbidden':
      for (let index = 0; index < words.length; index++) logits[words[index]!] = -Infinity
      break
    case 'bits':
      for (let word = 0; word < words.length; word++) {
        let bits = ~words[word]!
        for (; bits !== 0; bits &= bits - 1) logits[word * 32 + 31 - Math.clz32(bits & -bits)] = -Infinity
      }
  }
  logits.fill(-Infinity, size)
}
