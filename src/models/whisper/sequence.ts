import { floats, int64, type Session } from '../../runtime/session.js'

/**
 * A sequence of tokens over the window that the encoder has put into its slot. Positions may be fed again: what came
 * after them is forgotten.
 */
export class Sequence {
  readonly #vocabulary: number

  constructor(
    private readonly decoder: Session,
    private readonly slot: number,
  ) {
    const logits = decoder.signature.outputs.find(({ name }) => name === 'logits')
    this.#vocabulary = Number(logits?.dims[1])
  }

  /** Feeds tokens from `position` on; gives the logits after those at the indices `rows`, to keep and edit. */
  async feed(tokens: readonly number[], position: number, rows: readonly number[]): Promise<Float32Array[]> {
    const feeds = {
      tokens: int64(tokens, [1, tokens.length]),
      past_length: int64([position]),
      logit_rows: int64(rows),
    }
    const logits = floats(await this.decoder.run(feeds, [{ slot: this.slot, past: position }]), 'logits')
    return rows.map((_, i) => logits.subarray(i * this.#vocabulary, (i + 1) * this.#vocabulary))
  }

  release(): void {
    this.decoder.release(this.slot)
  }
}
