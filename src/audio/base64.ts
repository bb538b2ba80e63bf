/** Base64 as RFC 4648 section 4 has it. Buffer.from skips whatever it does not know, so a damaged upload would decode. */
import { ServiceError } from '../errors.js'

/**
 * Strict: no data URL, no line breaks, no URL-safe alphabet, padding required, and nothing ignored.
 * @throws ServiceError `invalid_base64`, naming `param` and what is wrong where
 */
export function decodeBase64(text: string, param: string): Uint8Array {
  const refuse = (what: string): never => {
    throw new ServiceError('invalid_base64', `${param}: ${what}`, param)
  }
  if (/^data:/i.test(text))
    return refuse('this is a data URL; send only the base64 text that follows its comma')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.length - padding
  const bad = text.search(/[^A-Za-z0-9+/]/)
  if (bad >= 0 && bad < digits) return refuse(describe(text, bad))
  if (text.length % 4 !== 0)
    return refuse(
      `the base64 text has ${text.length} characters, which is no multiple of 4: it is cut or its padding (=) is missing or wrong`,
    )
  const bytes = Buffer.from(text, 'base64')
  if (padding > 0 && bytes.toString('base64', bytes.length - (3 - padding)) !== text.slice(-4))
    return refuse('the last base64 character has bits that belong to no byte: the text is damaged')
  return bytes
}

function describe(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at)!)
  const where = `character ${at + 1} of the base64 text is ${JSON.stringify(character)}`
  if (character === '-' || character === '_')
    return `${where}: that is the URL-safe alphabet; use the standard one, with + and /`
  if (character === '=') return `${where}: padding may stand only at the end, at most twice`
  if (/\s/.test(character)) return `${where}: send it without spaces and line breaks`
  return `${where}, which is not in the base64 alphabet`
}
