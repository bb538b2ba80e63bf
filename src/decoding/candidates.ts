/** Tokens among which one is drawn, and a search for it that sorts no more of them than it has to. */

/** The likeliest candidates: how many, and the sum of their weights. */
export interface Likeliest {
  readonly count: number
  readonly sum: number
  /** Whether they are as many as were asked for. */
  readonly isEnough: boolean
}

/**
 * Tokens and their weights, in an order that searches change. They rank by weight, the largest first; of equal ones the
 * lower id first. One is filled again for draw after draw: so much memory is slow to get.
 */
export class Candidates {
  #ids = new Int32Array(0)
  #weights = new Float64Array(0)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** The sum of all weights. */
  get sum(): number {
    let sum = 0
    for (let i = 0; i < this.#count; i++) sum += this.#weights[i]!
    return sum
  }

  /** Empties it, and makes room for so many. */
  clear(room: number): void {
    this.#count = 0
    if (this.#ids.length >= room) return
    this.#ids = new Int32Array(room)
    this.#weights = new Float64Array(room)
  }

  /** Takes a token, for which there is room, with its weight ≥ 0. */
  push(id: number, weight: number): void {
    this.#ids[this.#count] = id
    this.#weights[this.#count++] = weight
  }

  id(place: number): number {
    return this.#ids[place]!
  }

  weight(place: number): number {
    return this.#weights[place]!
  }

  /**
   * Brings the likeliest of the first `among`, which are the likeliest of all if they are not all, to the front: as few
   * as are enough, the least likely of them last; in time proportional to `among`. This is quickselect (C. A. R. Hoare,
   * "Algorithm 65: find", 1961), which here knows the sums as well.
   * @param isEnough of a count of the likeliest and the sum of their weights; true of more where it is true of fewer
   */
  likeliest(among: number, isEnough: (count: number, sum: number) => boolean): Likeliest {
    let [from, to, sum] = [0, among, 0]
    while (from < to) {
      const pivot = this.#split(from, to)
      let left = sum
      for (let i = from; i < pivot; i++) left += this.#weights[i]!
      if (pivot > from && isEnough(pivot, left)) to = pivot
      else {
        sum = left + this.#weights[pivot]!
        from = pivot + 1
        if (isEnough(from, sum)) return { count: from, sum, isEnough: true }
      }
    }
    return { count: from, sum, isEnough: false }
  }

  /** Brings what ranks before some token to its left, the rest to its right; returns the place of the token. */
  #split(from: number, to: number): number {
    const last = to - 1
    const middle = (from + last) >> 1
    // The median of three to the end: the pivot.
    if (this.#isBefore(middle, from)) this.#swap(middle, from)
    if (this.#isBefore(last, from)) this.#swap(last, from)
    if (this.#isBefore(middle, last)) this.#swap(middle, last)
    const [ids, weights] = [this.#ids, this.#weights]
    const [id, weight] = [ids[last]!, weights[last]!]
    let place = from
    for (let i = from; i < last; i++)
      if (weights[i]! > weight || (weights[i] === weight && ids[i]! < id)) this.#swap(i, place++)
    this.#swap(last, place)
    return place
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#weights[one]!, this.#weights[other]!]
    return a > b || (a === b && this.#ids[one]! < this.#ids[other]!)
  }

  #swap(one: number, other: number): void {
    const [ids, weights] = [this.#ids, this.#weights]
    const [id, weight] = [ids[one]!, weights[one]!]
    ids[one] = ids[other]!
    weights[one] = weights[other]!
    ids[other] = id
    weights[other] = weight
  }
}
