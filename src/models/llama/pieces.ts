/** What the readers of a reply make of its characters as they come. */

/** `end`: how many characters of the reply, markers and all, lie before the end of the piece. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly end: number }
  | { readonly kind: 'reasoning'; readonly text: string; readonly end: number }
  | { readonly kind: 'call'; readonly name: string; readonly end: number }
  | { readonly kind: 'arguments'; readonly text: string; readonly end: number }
  /** Markers and the like, which nobody is told of. */
  | { readonly kind: 'syntax'; readonly end: number }

/** How many characters at the end of the text are the beginning of the marker, but not all of it. */
export function partOf(marker: string, text: string): number {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--)
    if (text.endsWith(marker.slice(0, length))) return length
  return 0
}
