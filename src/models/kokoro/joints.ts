/** 3 ms: too short to be heard as a fade, long enough that a step is not heard as a click. */
const fadeSamples = 72

/** Raises the start of a piece from zero and lowers its end to zero, in place, so that pieces join without clicks. */
export function fadeEnds(samples: Float32Array): Float32Array {
  const length = Math.min(fadeSamples, Math.floor(samples.length / 2))
  const last = samples.length - 1
  for (let i = 0; i < length; i++) {
    const gain = 0.5 - 0.5 * Math.cos((Math.PI * i) / length)
    samples[i] = samples[i]! * gain
    samples[last - i] = samples[last - i]! * gain
  }
  return samples
}
