/** What each contender of llama-peers.js is given and tells: the same prompts, the same counts, the same measures. */

export const workload = {
  /** Repetitions of a prompt, and steps of writing. */
  repeats: 5,
  steps: 40,
  streams: 8,
  /** Tokens that streams go on behind. */
  before: 128,
  /**
   * Tokens of the two prompts of which the short one comes while the long one is read, and how many ms later: at several
   * moments, since just before the end of a run it waits for less.
   */
  long: 2000,
  short: 32,
  waits: [100, 250, 400],
}

/** What a contender tells, in this order. */
export const measures = [
  { name: 'prompt of 128', unit: 'tokens/s' },
  { name: 'prompt of 512', unit: 'tokens/s' },
  { name: 'one stream', unit: 'tokens/s' },
  { name: `${workload.streams} streams`, unit: 'tokens/s' },
  { name: `first token, ${workload.short} beside ${workload.long}`, unit: 'ms' },
  { name: `first token of the ${workload.long}`, unit: 'ms' },
]

/** A prompt that no other number's begins like (of the first 40). */
export function prompt(count, number = 0) {
  return Array.from({ length: count }, (_, i) => 1000 + (((3000 * number + i) * 7919) % 40000))
}

export function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

/** Tokens a second of the median of some repetitions, after one that does not count. */
export async function rate(count, work, repeats = workload.repeats) {
  const times = []
  for (let i = 0; i <= repeats; i++) {
    const started = performance.now()
    await work(i)
    times.push(performance.now() - started)
  }
  return (1000 * count) / median(times.slice(1))
}

/**
 * Milliseconds until a short and a long prompt have their first tokens, each from its own arrival: medians.
 * @param ask runs a prompt of sequence 0 or 1 to its first token
 * @param clear forgets what the two have read
 */
export async function firstTokens(ask, clear) {
  const { waits, long, short } = workload
  const times = []
  for (const [i, wait] of waits.entries()) {
    await clear()
    const begun = performance.now()
    const first = ask(0, prompt(long, 2 * i)).then(() => performance.now() - begun)
    await new Promise((resolve) => setTimeout(resolve, wait))
    // Counted from when it was to come: that a contender keeps the event loop from turning is the contender's loss.
    const second = ask(1, prompt(short, 2 * i + 1)).then(() => performance.now() - begun - wait)
    times.push(await Promise.all([second, first]))
  }
  return [0, 1].map((which) => median(times.map((pair) => pair[which])))
}

/** Prints what a contender found, for the process that started it. */
export function tell(numbers) {
  console.log(JSON.stringify(numbers))
  // What peers leave running is no matter.
  process.exit(0)
}
