/**
 * JSON numbers (RFC 8259 §6) as automata over their characters.
 *
 * Digits are bounded: 15 that count are told apart by every double, so that a number on the right side of a bound as
 * text is on it as the double that JSON.parse makes of it, for bounds that exclude their own value too.
 */
import { matching } from './regex.js'
import { type Effort, type Explored, explore, intersect, type TextState } from './text-automaton.js'

export interface NumberBounds {
  readonly integer: boolean
  /** −Infinity and Infinity if absent. */
  readonly least: number
  readonly most: number
  /** Whether the bounds themselves are excluded. */
  readonly above: boolean
  readonly below: boolean
  /** Whole numbers of which it must be a multiple. */
  readonly multiplesOf: readonly number[]
}

const digitsThatCount = 15

/** The numbers within bounds; undefined if there are none. RangeError: a bound has more digits than are written. */
export function numbers(bounds: NumberBounds, effort: Effort): TextState | undefined {
  const integer = bounds.integer || bounds.multiplesOf.length > 0
  const { least, most } = bounds
  let text: TextState | undefined
  if (least === -Infinity && most === Infinity) {
    const whole = `-?(0|[1-9][0-9]{0,${digitsThatCount - 1}})`
    const part = `(\\.[0-9]{1,${digitsThatCount}})?([eE][+-]?[0-9]{1,2})?`
    text = matching(`^${whole}${integer ? '' : part}$`, effort)
  } else {
    const sides = sidesOf(lowerBound(bounds, integer), upperBound(bounds, integer))
    text = between(sides, integer, effort)
  }
  for (const factor of bounds.multiplesOf) text = text && intersect(text, multiplesOf(factor, effort), effort)
  return text
}

/** A bound: its value, and the decimal digits before and behind the point without outer zeros ('' for 0). */
interface Bound {
  readonly value: number
  readonly whole: string
  readonly part: string
  readonly excluded: boolean
}

const mostDigits = 40
const none: Bound = { value: Infinity, whole: '', part: '', excluded: false }
const zero = (excluded: boolean): Bound => ({ value: 0, whole: '', part: '', excluded })

function lowerBound({ least, above }: NumberBounds, integer: boolean): Bound {
  if (least === -Infinity) return none
  if (!integer || Math.abs(least) >= 2 ** 53) return bound(least, above, 1)
  return bound(above ? Math.floor(least) + 1 : Math.ceil(least), false, 1)
}

function upperBound({ most, below }: NumberBounds, integer: boolean): Bound {
  if (most === Infinity) return none
  if (!integer || Math.abs(most) >= 2 ** 53) return bound(most, below, -1)
  return bound(below ? Math.ceil(most) - 1 : Math.floor(most), false, -1)
}

/** @param inwards the sign of the direction in which numbers are within the bound. */
function bound(value: number, excluded: boolean, inwards: 1 | -1): Bound {
  // Here whole numbers have more digits than are told apart: the next double is the first that is not the bound.
  if (excluded && Math.abs(value) >= 2 ** 53) return bound(neighbour(value, inwards), false, inwards)
  const [digits = '', exponent = '0'] = Math.abs(value).toExponential().split('e')
  const shift = Number(exponent) + 1
  const all = digits.replace('.', '').replace(/0+$/, '')
  const whole = (shift > 0 ? all.padEnd(shift, '0').slice(0, shift) : '').replace(/^0+/, '')
  const part = shift > 0 ? all.slice(shift) : '0'.repeat(-shift) + all
  return { value, whole: all === '' ? '' : whole, part: all === '' ? '' : part, excluded }
}

/** The next double in a direction; |value| ≥ 2⁵³. */
function neighbour(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  view.setBigInt64(0, view.getBigInt64(0) + (Math.sign(value) === direction ? 1n : -1n))
  return view.getFloat64(0)
}

/** −1: less than the bound's digits so far, 0: the same, 1: more. */
type Order = -1 | 0 | 1

interface Place {
  /** Positive or negative; undefined at the start. */
  readonly side?: Side
  readonly phase: 'start' | 'zero' | 'whole' | 'point' | 'part'
  /** Digits before the point, those behind it, and those of them that count (from the first that is not 0). */
  readonly whole: number
  readonly part: number
  readonly counting: number
  readonly toLow: Order
  readonly toHigh: Order
}

/** Magnitudes from `low` to `high` (undefined: without end). */
interface Side {
  readonly sign: string
  readonly low: Bound
  readonly high: Bound | undefined
}

const ascii = (character: string) => character.charCodeAt(0)
type Move = { low: number; high: number; to: Place }

interface Sides {
  readonly positive: Side | undefined
  readonly negative: Side | undefined
}

function sidesOf(low: Bound, high: Bound): Sides {
  const end = (bound: Bound) => (bound === none ? undefined : bound)
  const fromZero = zero(low !== none && low.value === 0 && low.excluded)
  const positive = { sign: '', low: low !== none && low.value > 0 ? low : fromZero, high: end(high) }
  // A negative number is at least a little less than zero: there is no −0.
  const negative = { sign: '-', low: high !== none && high.value < 0 ? high : zero(true), high: end(low) }
  return {
    positive: high === none || high.value >= 0 ? positive : undefined,
    negative: low === none || low.value < 0 ? negative : undefined,
  }
}

function between(sides: Sides, integer: boolean, effort: Effort): TextState | undefined {
  const { positive, negative } = sides
  for (const side of [positive, negative]) if (side) checkDigits(side)
  const places: Explored<Place> = {
    name: ({ side, phase, whole, part, counting, toLow, toHigh }) =>
      [side?.sign, phase, whole, part, counting, toLow, toHigh].join(),
    accepts,
    moves: (at) => {
      if (at.side) return digitMoves(at, at.side, integer)
      const minus = { low: ascii('-'), high: ascii('-'), to: { ...at, side: negative } }
      return [...(negative ? [minus] : []), ...(positive ? digitMoves(at, positive, integer) : [])]
    },
  }
  return explore<Place>(origin, places, effort)
}

const origin = { phase: 'start', whole: 0, part: 0, counting: 0, toLow: 0, toHigh: 0 } as const

/** RangeError where the digits between the bounds begin too far from the point. */
function checkDigits({ low, high }: Side): void {
  const tooLong = [low.whole, low.part, high?.part ?? ''].some((digits) => digits.length > mostDigits)
  if (tooLong) throw new RangeError(`bounds of more than ${mostDigits} digits are not supported`)
}

/** How a whole part of so many digits stands to a bound's. */
function wholeOrder(digits: number, order: Order, bound: Bound): Order {
  return digits === bound.whole.length ? order : digits < bound.whole.length ? -1 : 1
}

function accepts(at: Place): boolean {
  const { side, phase, whole, part } = at
  if (!side || phase === 'start' || phase === 'point') return false
  const { low, high } = side
  const toLow = phase === 'part' ? at.toLow : wholeOrder(whole, at.toLow, low)
  const toHigh = phase === 'part' ? at.toHigh : high ? wholeOrder(whole, at.toHigh, high) : -1
  const aboveLow = toLow > 0 || (toLow === 0 && part >= low.part.length && !low.excluded)
  const belowHigh = toHigh < 0 || (toHigh === 0 && (part < high!.part.length || !high!.excluded))
  return aboveLow && belowHigh
}

function digitMoves(at: Place, side: Side, integer: boolean): Move[] {
  const { low, high } = side
  const moves: Move[] = []
  const { phase, whole, part, counting } = at
  const digit = (value: number, to: Omit<Place, 'side'>) => {
    const code = ascii('0') + value
    moves.push({ low: code, high: code, to: { side, ...to } })
  }
  if (phase === 'point' || phase === 'part') {
    const most = Math.max(digitsThatCount, low.part.length + 1, (high?.part.length ?? 0) + 1)
    for (let value = 0; value <= 9; value++) {
      const counts = counting + (counting > 0 || value > 0 ? 1 : 0)
      if (counts > digitsThatCount || part === most) continue
      const toLow = compared(at.toLow, value, low.part[part])
      const toHigh = high ? compared(at.toHigh, value, high.part[part]) : -1
      if (toLow >= 0 && toHigh <= 0)
        digit(value, { phase: 'part', whole, part: part + 1, counting: counts, toLow, toHigh })
    }
    return moves
  }
  if (!integer && phase !== 'start') {
    const toLow = wholeOrder(whole, at.toLow, low)
    const toHigh = high ? wholeOrder(whole, at.toHigh, high) : -1
    const to: Place = { side, phase: 'point', whole, part: 0, counting: whole, toLow, toHigh }
    if (toLow >= 0 && toHigh <= 0) moves.push({ low: ascii('.'), high: ascii('.'), to })
  }
  const most = Math.max(digitsThatCount, low.whole.length + 1)
  for (let value = 0; value <= 9; value++) {
    if (phase === 'zero' || whole === most) break
    if (phase === 'start' && value === 0) {
      digit(0, { phase: 'zero', whole: 0, part: 0, counting: 0, toLow: 0, toHigh: 0 })
      continue
    }
    const toLow = whole < low.whole.length ? compared(at.toLow, value, low.whole[whole]) : 1
    const toHigh = !high ? -1 : whole < high.whole.length ? compared(at.toHigh, value, high.whole[whole]) : 1
    digit(value, { phase: 'whole', whole: whole + 1, part: 0, counting: 0, toLow, toHigh })
  }
  return moves
}

function compared(order: Order, digit: number, against = '0'): Order {
  return order !== 0 ? order : (Math.sign(digit - Number(against)) as Order)
}

const largestFactor = 5000

/** Whole numbers that are multiples. RangeError beyond what a remainder is kept of. */
function multiplesOf(factor: number, effort: Effort): TextState {
  if (!Number.isInteger(factor) || factor < 1 || factor > largestFactor)
    throw new RangeError(`only whole numbers from 1 to ${largestFactor} are supported, not ${factor}`)
  const remainders: Explored<number | 'start' | 'minus'> = {
    name: String,
    accepts: (remainder) => remainder === 0,
    moves: (remainder) => {
      const minus = { low: ascii('-'), high: ascii('-'), to: 'minus' as const }
      const digits = Array.from({ length: 10 }, (_, value) => {
        const to = ((typeof remainder === 'number' ? remainder : 0) * 10 + value) % factor
        return { low: ascii('0') + value, high: ascii('0') + value, to }
      })
      return remainder === 'start' ? [minus, ...digits] : digits
    },
  }
  return explore('start', remainders, effort)!
}
