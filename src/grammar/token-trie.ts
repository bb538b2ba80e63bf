/** Tokens as a tree of bytes, laid out so that a walk is one loop. */

/** Nodes in preorder: a node's subtree is the nodes up to its `end`. */
export interface TokenTrie {
  /** [nodes] the byte that leads to a node. */
  readonly bytes: Uint8Array
  /** [nodes] how many bytes lead to it, from 1. */
  readonly depths: Uint16Array
  /** [nodes] the first node behind its subtree. */
  readonly ends: Uint32Array
  /** [nodes + 1] where a node's tokens begin in `tokens`. */
  readonly firsts: Uint32Array
  /** Ids, by node. */
  readonly tokens: Uint32Array
  /** Bytes of the longest token. */
  readonly deepest: number
}

/** @param entries tokens with at least one byte each. */
export function tokenTrie(
  entries: readonly { readonly id: number; readonly bytes: Uint8Array }[],
): TokenTrie {
  // As Latin-1 text, whose natural order is that of the bytes.
  const sorted = entries.map(({ id, bytes }) => ({ id, text: Buffer.from(bytes).toString('latin1') }))
  sorted.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id))
  const bytes: number[] = []
  const depths: number[] = []
  const ends: number[] = []
  const firsts: number[] = []
  const path: number[] = []
  let before = ''
  for (const [index, { text }] of sorted.entries()) {
    let shared = 0
    while (shared < before.length && before.charCodeAt(shared) === text.charCodeAt(shared)) shared++
    while (path.length > shared) ends[path.pop()!] = bytes.length
    for (let depth = shared; depth < text.length; depth++) {
      path.push(bytes.length)
      bytes.push(text.charCodeAt(depth))
      depths.push(depth + 1)
      firsts.push(index)
    }
    before = text
  }
  while (path.length > 0) ends[path.pop()!] = bytes.length
  firsts.push(sorted.length)
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    ends: Uint32Array.from(ends),
    firsts: Uint32Array.from(firsts),
    tokens: Uint32Array.from(sorted, ({ id }) => id),
    deepest: depths.reduce((most, depth) => Math.max(most, depth), 0),
  }
}
