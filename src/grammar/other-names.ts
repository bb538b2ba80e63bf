/** Texts that are none of some names: the keys that an object may have beside those that its schema names. */
import { type Characters, characters, only, others } from './characters.js'
import type { Pool } from './pool.js'
import { closed } from './state.js'
import { type Effort, type TextMove, type TextState, textId } from './text-automaton.js'
import { textOfLength } from './text-length.js'

interface Place {
  readonly id: number
  accepts: boolean
  readonly moves: TextMove[]
  readonly open: number
  readonly children: Map<string, Place>
}

/** @throws TooComplex */
export function otherThan(names: Iterable<string>, pool: Pool, effort: Effort): TextState {
  const anyText = textOfLength(0, Infinity, pool)
  const place = (): Place => ({ id: textId(), accepts: true, moves: [], open: closed, children: new Map() })
  const root = place()
  const places = [root]
  for (const name of names) {
    let at = root
    for (const character of name) {
      let next = at.children.get(character)
      if (!next) {
        effort.spend(10)
        next = place()
        places.push(next)
        at.children.set(character, next)
      }
      at = next
    }
    at.accepts = false
  }
  for (const { children, moves } of places) {
    const own = (set: Characters, to: TextState) => {
      for (const [low, high] of set) moves.push({ low, high, to })
    }
    const named = [...children].flatMap(([character]) => only(character))
    own(others(characters(named)), anyText)
    for (const [character, to] of children) own(only(character), to)
    moves.sort((a, b) => a.low - b.low)
  }
  return root.children.size === 0 && root.accepts ? anyText : root
}
