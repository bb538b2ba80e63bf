/** How many tokens two sequences begin with in common. */
export function commonPrefix(a: readonly number[], b: readonly number[], most: number): number {
  let length = 0
  while (length < most && a[length] === b[length]) length++
  return length
}
