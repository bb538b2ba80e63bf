/** Bodies nested deeper than any request needs to be, found before they become a million objects. */
import { ServiceError } from '../errors.js'

const MOST = 100
const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/** @throws ServiceError invalid_json where arrays and objects of this JSON text lie too deep in each other */
export function checkDepth(json: Uint8Array): void {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfString(json, at)
    // 32 is what the two kinds of brackets differ in: [ and {, ] and }.
    else if ((byte! | 32) === 0x7d) depth--
    else if ((byte! | 32) === 0x7b && ++depth > MOST)
      throw new ServiceError('invalid_json', `The body is nested deeper than ${MOST} levels.`)
  }
}

/** Recordings are long strings, so the closing quote is looked for, not stepped to. */
function endOfString(json: Uint8Array, start: number): number {
  for (let at = start; ; ) {
    at = json.indexOf(QUOTE, at + 1)
    if (at < 0) return json.length
    let slashes = 0
    while (json[at - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
}
