/** The decoder of a tokenizer.json: what bytes a token stands for, and what the start of a text loses. */
import { SetupError } from '../errors.js'
import { isObject, type JsonObject } from './json-file.js'

export interface TokenDecoder {
  /** The bytes of a token as the vocabulary writes it. */
  bytes(token: string): Uint8Array
  /** Blanks that the start of a decoded text loses, where it has them: encoding puts them there. */
  readonly leadingBlanks: number
}

/**
 * `ByteLevel` (GPT-2 and its heirs), or the sequence of the heirs of SentencePiece: `Replace` (▁ → blank),
 * `ByteFallback` (`<0x0A>` → that byte), `Fuse`, `Strip`. Of bytes that are no UTF-8 the reference's `ByteFallback` makes
 * one U+FFFD each, and of valid ones beside them, too; here they are bytes, which the reader of the text judges.
 * @throws SetupError for any other decoder
 */
export function tokenDecoder(decoder: unknown, path: string): TokenDecoder {
  if (!isObject(decoder)) throw unsupported('none', path)
  if (decoder.type === 'ByteLevel') return { bytes: byteLevel, leadingBlanks: 0 }
  if (decoder.type !== 'Sequence' || !Array.isArray(decoder.decoders))
    throw unsupported(String(decoder.type), path)
  return steps(decoder.decoders.filter(isObject), path)
}

function steps(decoders: readonly JsonObject[], path: string): TokenDecoder {
  const replacements: [string, string][] = []
  let fallback = false
  let fused = false
  let leadingBlanks = 0
  for (const step of decoders) {
    const { type, pattern, content, start, stop } = step
    const text = isObject(pattern) ? pattern.String : undefined
    if (type === 'Replace' && typeof text === 'string' && typeof content === 'string' && !fallback && !fused)
      replacements.push([text, content])
    else if (type === 'ByteFallback' && !fused) fallback = true
    else if (type === 'Fuse') fused = true
    else if (type === 'Strip' && fused && content === ' ' && stop === 0) leadingBlanks += Number(start)
    else throw unsupported(`Sequence with ${JSON.stringify(step)}`, path)
  }
  return {
    bytes(token) {
      const byte = fallback ? /^<0x([\dA-Fa-f]{2})>$/.exec(token)?.[1] : undefined
      if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16))
      return Buffer.from(replacements.reduce((text, [from, to]) => text.replaceAll(from, () => to), token))
    },
    leadingBlanks,
  }
}

/** A token with a character outside of the alphabet stands for its own text, as in the reference. */
function byteLevel(token: string): Uint8Array {
  const bytes = Array.from(token, (character) => byteOf.get(character))
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : Buffer.from(token)
}

/**
 * The byte-level alphabet (openai/gpt-2, src/encoder.py): printable Latin-1 bytes are written as themselves, the
 * others, in order, as U+0100 and following.
 */
const byteOf: ReadonlyMap<string, number> = (() => {
  const alphabet = new Map<string, number>()
  let others = 0
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    alphabet.set(String.fromCharCode(printable ? byte : 0x100 + others++), byte)
  }
  return alphabet
})()

const unsupported = (what: string, path: string): SetupError =>
  new SetupError(
    `${path} has the decoder ${what}: supported are byte-level BPE and the sequence Replace, ByteFallback, Fuse, Strip; choose another model.`,
  )
