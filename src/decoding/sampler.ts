/** Choosing a token from a row of logits. NaN anywhere is refused, and so is a row in which nothing is allowed. */

export interface SamplingOptions {
  /** ≥ 0; 0 chooses the largest logit. */
  temperature: number
  /** 0..1: draw from the fewest most probable tokens whose probabilities reach this sum (at least one); 1: from all. */
  topP: number
  /** ≥ 1: draw from this many most probable tokens. Applied before topP, which then sees their renormalised probabilities. */
  topK?: number
  /** Uniform in [0, 1); called once per drawn token. */
  random: () => number
}

/**
 * A chooser over the full vocabulary, exact: softmax(logits / temperature), cut by topK, then by topP, then one draw.
 * Of equally probable tokens at a cut, the lower ids stay. RangeError for options out of range.
 */
export function sampler(options: SamplingOptions): (logits: Float32Array) => number {
  const { temperature, topP, topK, random } = options
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new RangeError(`temperature must be a number ≥ 0, not ${temperature}`)
  }
  if (!(topP >= 0 && topP <= 1)) throw new RangeError(`topP must be in 0..1, not ${topP}`)
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
    throw new RangeError(`topK must be an integer ≥ 1, not ${topK}`)
  }
  // 1 / temperature overflows only where nothing but the largest logit could be drawn.
  if (1 / temperature === Infinity || topP === 0 || topK === 1) return argmax
  let row: Row | undefined
  return (logits) => {
    const best = argmax(logits)
    if (logits[best] === Infinity) return best
    if (row?.weights.length !== logits.length) row = emptyRow(logits.length)
    weigh(row, logits, logits[best]!, temperature)
    if (topK !== undefined) cut(row, countBins(row), topK, () => 1)
    if (topP < 1) cut(row, row.masses, topP * total(row), (weight) => weight)
    return draw(row, random() * total(row))
  }
}

/** The id of the largest logit; of equal ones the lowest. */
export function argmax(logits: Float32Array): number {
  let best = -1
  let top = -Infinity
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!
    if (logit > top) {
      top = logit
      best = id
    } else if (Number.isNaN(logit)) {
      throw new Error(`the logit of token ${id} is not a number`)
    }
  }
  if (best < 0) throw new Error('no token is allowed: every logit is -Infinity')
  return best
}

/** log(sum(exp(logits[from..to)))), safe from overflow; -Infinity for an empty or wholly suppressed range. */
export function logSumExp(logits: Float32Array, from = 0, to = logits.length): number {
  let top = -Infinity
  for (let id = from; id < to; id++) if (logits[id]! > top) top = logits[id]!
  if (top === Infinity) return top
  if (top === -Infinity) return logits.subarray(from, to).some(Number.isNaN) ? Number.NaN : top
  let total = 0
  for (let id = from; id < to; id++) total += Math.exp(logits[id]! - top)
  return top + Math.log(total)
}

/** The natural log of the probability of `id` under softmax(logits). */
export function logSoftmaxAt(logits: Float32Array, id: number): number {
  return logits[id]! - logSumExp(logits)
}

/**
 * A row at work. A weight is exp((logit - largest) / temperature); the tokens are binned by its logarithm, in equal
 * steps from the largest weight down, so that a cut has to sort only the tokens of the one bin that it falls into.
 */
interface Row {
  readonly weights: Float64Array
  readonly binOf: Uint16Array
  /** Sums of the weights in each bin. */
  readonly masses: Float64Array
  /** The last bin whose tokens are still in. */
  last: number
}

const bins = 2048
/** The last bin has everything less likely than the best token by exp(-32) and more. */
const binsPerE = bins / 32

const emptyRow = (length: number): Row => ({
  weights: new Float64Array(length),
  binOf: new Uint16Array(length),
  masses: new Float64Array(bins),
  last: bins - 1,
})

function weigh(row: Row, logits: Float32Array, top: number, temperature: number): void {
  const { weights, binOf, masses } = row
  const scale = 1 / temperature
  masses.fill(0)
  row.last = bins - 1
  for (let id = 0; id < logits.length; id++) {
    const below = (top - logits[id]!) * scale
    const weight = Math.exp(-below)
    const bin = Math.min(bins - 1, Math.trunc(below * binsPerE))
    weights[id] = weight
    binOf[id] = bin
    masses[bin]! += weight
  }
}

function countBins({ binOf }: Row): Float64Array {
  const counts = new Float64Array(bins)
  for (let id = 0; id < binOf.length; id++) counts[binOf[id]!]! += 1
  return counts
}

/** Leaves in the fewest largest weights whose measures (`totals`: those of the bins) reach the target. */
function cut(row: Row, totals: Float64Array, target: number, measure: (weight: number) => number): void {
  const { weights, binOf, masses } = row
  let reached = 0
  let last = 0
  while (last < row.last && reached + totals[last]! < target) reached += totals[last++]!
  row.last = last
  const border: number[] = []
  for (let id = 0; id < weights.length; id++) if (binOf[id] === last && weights[id] !== 0) border.push(id)
  border.sort((one, other) => weights[other]! - weights[one]!) // stable: of equal ones the lower id first
  for (const id of border) {
    const weight = weights[id]!
    if (reached < target) {
      reached += measure(weight)
    } else {
      weights[id] = 0
      masses[last]! -= weight
    }
  }
}

function total({ masses, last }: Row): number {
  let sum = 0
  for (let bin = 0; bin <= last; bin++) sum += masses[bin]!
  return sum
}

/** The id at which the running sum of the weights that are in passes the target; the last of them if rounding prevents it. */
function draw({ weights, binOf, last }: Row, target: number): number {
  let sum = 0
  let drawn = 0
  for (let id = 0; id < weights.length; id++) {
    const weight = weights[id]!
    if (weight === 0 || binOf[id]! > last) continue
    sum += weight
    drawn = id
    if (sum > target) break
  }
  return drawn
}
