/** Ids of the largest logits, the largest first; of equal ones the lower id. */
export function largest(logits: Float32Array, count: number): readonly number[] {
  const found: number[] = []
  let least = -Infinity
  for (let id = 0; id < logits.length && count > 0; id++) {
    const logit = logits[id]!
    if (found.length === count && !(logit > least)) continue
    let at = found.length
    while (at > 0 && logits[found[at - 1]!]! < logit) at--
    found.splice(at, 0, id)
    if (found.length > count) found.pop()
    least = logits[found.at(-1)!]!
  }
  return found
}
