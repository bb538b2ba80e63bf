/** The door: how many requests and replies may be inside. */
import { ServiceError } from '../errors.js'

/** A request that is inside. */
export interface Place extends Disposable {
  /**
   * What it asks for is known: so many replies, of which {@link Admission.enter} has counted one.
   * @throws ServiceError overloaded
   */
  widen(replies: number): void
}

/**
 * Bounded admission: as many replies are made at once as the language model takes, others wait, and beyond the bound
 * requests are refused. One that asks for more replies than the bound has to be alone.
 */
export class Admission {
  private requests = 0
  private replies = 0
  private closed = false

  /** @param parallel replies that are made at once; `maxWaiting` may wait beside */
  constructor(
    private readonly parallel: number,
    private readonly maxWaiting: number,
  ) {}

  /** Requests being served or waiting. */
  get size(): number {
    return this.requests
  }

  /**
   * A place for one request and its first reply, until it is disposed of.
   * @throws ServiceError overloaded, or shutting_down after {@link close}
   */
  enter(): Place {
    if (this.closed)
      throw new ServiceError('shutting_down', 'The service is shutting down: try another replica.')
    let counted = this.counted(1)
    this.requests++
    return {
      widen: (replies) => {
        // Who went while the body was read has given its place back, once for all.
        if (counted === 0) return
        counted += this.counted(Math.min(replies, this.parallel + this.maxWaiting) - counted)
      },
      [Symbol.dispose]: () => {
        if (counted === 0) return
        this.requests--
        this.replies -= counted
        counted = 0
      },
    }
  }

  close(): void {
    this.closed = true
  }

  private counted(replies: number): number {
    if (this.replies + replies > this.parallel + this.maxWaiting)
      throw new ServiceError(
        'overloaded',
        `${this.replies} replies are being made or waiting, and ${replies} more would be beyond the limit of ${this.parallel} made at once (SLOTS) and ${this.maxWaiting} waiting (MAX_WAITING): try again shortly.`,
      )
    this.replies += replies
    return replies
  }
}
