/** A vocabulary, sorted for masks: what can stand anywhere in a JSON string is told by length, the rest by its bytes. */
import { SetupError } from '../errors.js'
import type { Vocabulary } from './shape.js'
import { type TokenTrie, tokenTrie } from './token-trie.js'

export interface TokenSet {
  /** Largest id + 1. */
  readonly size: number
  readonly stopTokens: readonly number[]
  /** Tokens of whole characters that JSON strings have as they are. */
  readonly plain: {
    readonly trie: TokenTrie
    /** One bit per id. */
    readonly all: Uint32Array
    /** Shortest first, by characters. */
    readonly byLength: Uint32Array
    /** [characters] how many of `byLength` have at most so many; the last are the longest. */
    readonly upTo: Uint32Array
  }
  /** All others that have bytes. */
  readonly other: TokenTrie
  /** Ids without bytes, other than stop tokens. */
  readonly special: readonly number[]
  /** Whether a byte can be written by itself: with only such bytes, some token leads on from everywhere. */
  readonly writable: readonly boolean[]
}

/** Goes through the whole vocabulary. SetupError if it lacks what every JSON text needs. */
export function tokenSet(vocabulary: Vocabulary): TokenSet {
  const plain: { id: number; bytes: Uint8Array; characters: number }[] = []
  const other: { id: number; bytes: Uint8Array }[] = []
  const special: number[] = []
  const writable = new Array<boolean>(256).fill(false)
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for (let id = 0; id < vocabulary.size; id++) {
    if (vocabulary.stopTokens.has(id)) continue
    const bytes = vocabulary.bytes(id)
    if (bytes.length === 0) {
      special.push(id)
      continue
    }
    if (bytes.length === 1) writable[bytes[0]!] = true
    const characters = plainCharacters(bytes, strict)
    if (characters === undefined) other.push({ id, bytes })
    else plain.push({ id, bytes, characters })
  }
  const missing = needed.filter((byte) => !writable[byte])
  if (missing.length > 0) {
    const list = missing.map((byte) => JSON.stringify(String.fromCharCode(byte))).join(', ')
    throw new SetupError(
      `The model's tokenizer has no token for ${list}, without which it can not write JSON.`,
    )
  }
  // A character that is begun must come to its end, whichever it is.
  if (!writable.slice(0x80, 0xc0).every(Boolean)) writable.fill(false, 0x80)
  const longest = plain.reduce((most, { characters }) => Math.max(most, characters), 0)
  const byLength = [...plain].sort((a, b) => a.characters - b.characters)
  const upTo = new Uint32Array(longest + 1)
  for (const { characters } of plain) upTo[characters]!++
  for (let length = 1; length <= longest; length++) upTo[length]! += upTo[length - 1]!
  const all = new Uint32Array(Math.ceil(vocabulary.size / 32))
  for (const { id } of plain) all[id >>> 5]! |= 1 << (id & 31)
  return {
    size: vocabulary.size,
    stopTokens: [...vocabulary.stopTokens],
    plain: { trie: tokenTrie(plain), all, byLength: Uint32Array.from(byLength, ({ id }) => id), upTo },
    other: tokenTrie(other),
    special,
    writable,
  }
}

/** Printable ASCII and the line feed. */
const needed = [0x0a, ...Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index)]

/** How many characters these bytes are; undefined if they are not whole, or JSON strings can not have them as they are. */
function plainCharacters(bytes: Uint8Array, strict: InstanceType<typeof TextDecoder>): number | undefined {
  if (bytes.some((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c)) return undefined
  if (bytes.every((byte) => byte < 0x80)) return bytes.length
  try {
    const text = strict.decode(bytes)
    return /[\u2028\u2029]/.test(text) ? undefined : [...text].length
  } catch {
    return undefined // not whole characters, which is what was asked
  }
}
