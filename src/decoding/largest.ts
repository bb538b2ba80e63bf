/** Ids of the largest logits, the largest first; of equal ones the lower id. */
export function largest(logits: Float32Array, count: number): readonly number[] {
  if (count <= 0) return []
  const found: number[] = []
  let least = Number.NaN // what nothing is below, until enough are found
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!
    if (logit <= least) continue
    let at = found.length
    while (at > 0 && logits[found[at - 1]!]! < logit) at--
    found.splice(at, 0, id)
    if (found.length > count) found.pop()
    if (found.length === count) least = logits[found[count - 1]!]!
  }
  return found
}
