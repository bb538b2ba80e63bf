/**
 * Formats of JSON Schema as patterns. Where a standard leaves doubt, the part of it is taken that every checker accepts:
 * capital T and Z, no leap seconds, addresses without quotes and comments, host names without punycode.
 */

import { matching } from './regex.js'
import { Effort, intersect, type TextState } from './text-automaton.js'

const year = '[0-9]{4}'
const leapYear = '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)'
const day28 = '(0[1-9]|1[0-9]|2[0-8])'
const date = `(${year}-((0[13578]|1[02])-(${day28}|29|30|31)|(0[469]|11)-(${day28}|29|30)|02-${day28})|${leapYear}-02-29)`
const time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])'
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
const label = '[A-Za-z0-9]+(-[A-Za-z0-9]+)*'
const shortLabel = '[^.]{1,63}'
const byte = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const hex = '[0-9a-fA-F]'

/** By format, regular expressions all of which must match. Lengths are those of RFC 5321 §4.5.3 and RFC 1034 §3.1. */
const formats: Readonly<Record<string, readonly string[]>> = {
  date: [`^${date}$`],
  time: [`^${time}$`],
  'date-time': [`^${date}T${time}$`],
  email: [
    `^${atom}+(\\.${atom}+)*@${label}(\\.${label})+$`,
    `^[^@]{1,64}@${shortLabel}(\\.${shortLabel}){1,2}$`,
  ],
  hostname: [`^${label}(\\.${label})*$`, `^${shortLabel}(\\.${shortLabel}){0,3}$`],
  ipv4: [`^${byte}(\\.${byte}){3}$`],
  uuid: [`^${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}$`],
}

export const formatNames: readonly string[] = Object.keys(formats)

const made = new Map<string, TextState>()

/** The texts of a format, one of {@link formatNames}. */
export function textsOfFormat(name: string): TextState {
  const known = made.get(name)
  if (known) return known
  const effort = new Effort()
  const all = formats[name]!.map((pattern) => matching(pattern, effort)!)
  const texts = all.reduce((both, one) => intersect(both, one, effort)!)
  made.set(name, texts)
  return texts
}
