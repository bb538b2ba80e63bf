/** An automaton over ASCII characters, read from bytes as it is: numbers, literals. */
import type { Pool } from './pool.js'
import { type Callee, State } from './state.js'
import { moveOn, type TextState } from './text-automaton.js'

export function textLexeme(text: TextState, pool: Pool): Callee {
  return {
    level: 0,
    get start() {
      return textLexemeState(text, pool)
    },
  }
}

const textLexemeState = (text: TextState, pool: Pool): State =>
  pool.get(`t${text.id}`, () => new AsciiState(text, pool))

class AsciiState extends State {
  readonly accepts: boolean
  readonly reads: boolean

  constructor(
    private readonly text: TextState,
    private readonly pool: Pool,
  ) {
    super()
    this.accepts = text.accepts
    this.reads = text.moves.length > 0
  }

  read(byte: number): State | null {
    const to = byte < 0x80 ? moveOn(this.text, byte) : undefined
    return to ? textLexemeState(to, this.pool) : null
  }
}
