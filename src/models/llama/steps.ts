/** The runs of the decoder: what comes next of one prompt, or one token more of every sequence. */
import { type Fetches, floats, int64, type Session, type SlotUse } from '../../runtime/session.js'
import { decoder } from './bindings.js'
import type { Scores } from './work.js'

/** A sequence's next token; of an idle slot any. */
export interface Next extends SlotUse {
  readonly token: number
}

export class Steps {
  /** Whether the graph tells the largest logits: then whole rows cross only where they are asked for. */
  private readonly hasTop: boolean

  constructor(private readonly session: Session) {
    this.hasTop = session.signature.outputs.some(({ name }) => name === decoder.topIds)
  }

  /** Runs the tokens that follow a sequence's rows. @returns the scores behind the last, if they are wanted */
  async prefill(tokens: readonly number[], use: SlotUse, wanted: boolean): Promise<Scores | null> {
    const outputs = wanted ? [decoder.logits] : []
    const fetches = await this.session.run(
      {
        [decoder.tokens]: int64(tokens, [1, tokens.length]),
        [decoder.pastLength]: int64([use.past]),
        [decoder.logitRows]: int64([tokens.length - 1]),
      },
      [use],
      outputs,
    )
    return wanted ? { kind: 'row', logits: floats(fetches, decoder.logits) } : null
  }

  /**
   * Runs a token of each sequence, in an order of Session.together. Run again with the same, the same comes out.
   * @param whole whether whole rows are wanted
   * @returns the scores behind each
   */
  async decode(batch: readonly Next[], whole: boolean): Promise<Scores[]> {
    const { logits, topIds, topLogits, logSumExp } = decoder
    const rows = whole || !this.hasTop
    const feeds = {
      [decoder.tokens]: int64(
        batch.map(({ token }) => token),
        [batch.length, 1],
      ),
      [decoder.pastLength]: int64(batch.map(({ past }) => past)),
      // Of idle slots, too: batches of one size are then alike, which a GPU can replay.
      [decoder.logitRows]: int64([...batch.keys()]),
    }
    const fetches = await this.session.run(feeds, batch, rows ? [logits] : [topIds, topLogits, logSumExp])
    return batch.map((_, i) => (rows ? rowOf(fetches, i, batch.length) : topOf(fetches, i, batch.length)))
  }
}

function rowOf(fetches: Fetches, i: number, count: number): Scores {
  return { kind: 'row', logits: share(floats(fetches, decoder.logits), i, count) }
}

function topOf(fetches: Fetches, i: number, count: number): Scores {
  const ids = fetches[decoder.topIds]!.data as BigInt64Array
  return {
    kind: 'top',
    ids: Array.from(share(ids, i, count), Number),
    logits: share(floats(fetches, decoder.topLogits), i, count),
    logSumExp: floats(fetches, decoder.logSumExp)[i]!,
  }
}

/** Part `i` of `count` equal ones. */
function share<T extends Float32Array | BigInt64Array>(array: T, i: number, count: number): T {
  const length = array.length / count
  return array.subarray(i * length, (i + 1) * length) as T
}
