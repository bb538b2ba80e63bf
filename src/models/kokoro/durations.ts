/** From how long each id lasts to which id each frame speaks. */

/**
 * max(1, round(duration / speed)) frames per id; halves go to the even number, as in the reference.
 * @param durations frames at speed 1, before rounding
 */
export function frameCounts(durations: Float32Array, speed: number): number[] {
  return Array.from(durations, (frames) => Math.max(1, roundHalfEven(frames / speed)))
}

/** Every id's place, as often as it has frames: [2, 1, 3] → [0, 0, 1, 2, 2, 2]. */
export function frameIndex(counts: readonly number[]): number[] {
  return counts.flatMap((count, place) => new Array<number>(count).fill(place))
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x)
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}
