/**
 * Which slots run as one batch. Recorded runs differ by first slot and batch size, and only so many are kept: batches
 * therefore begin at the first slot and come in few sizes, all of which stay recorded. The slots in between that have
 * nothing to do are computed along: a step reads all weights anyhow.
 */
import type { Profile } from '../session.js'
import { type Border, isReplayed } from './border.js'
import { MOST_RECORDED } from './lanes.js'

/** The largest batch of the profiles that are replayed (of all, if none is), and its halves, the smallest first. */
export function batchSizes(border: Border, profiles: readonly Profile[]): number[] {
  const { batch } = border
  if (batch === null) return [1]
  if (typeof batch === 'number') return [batch]
  const replayed = profiles.filter((profile) => isReplayed(border, profile))
  const ranges = (replayed.length > 0 ? replayed : profiles).map(({ sizes }) => sizes[batch]!)
  const [least, most] = [Math.min(...ranges.map(([min]) => min)), Math.max(...ranges.map(([, , max]) => max))]
  const halves = Array.from({ length: MOST_RECORDED }, (_, k) => Math.max(least, Math.ceil(most / 2 ** k)))
  return [...new Set(halves)].reverse()
}

/**
 * Runs of neighbouring slots with all the wanted ones in them.
 * @param slots how many there are
 * @param sizes of the batch, ascending
 */
export function spans(wanted: readonly number[], slots: number, sizes: readonly number[]): number[][] {
  const most = sizes.at(-1)!
  const lasts = new Map<number, number>()
  for (const slot of wanted) {
    const first = slot - (slot % most)
    lasts.set(first, Math.max(lasts.get(first) ?? 0, slot))
  }
  return [...lasts].map(([first, last]) => {
    const size = Math.min(sizes.find((size) => first + size > last)!, slots - first)
    return Array.from({ length: size }, (_, row) => first + row)
  })
}
