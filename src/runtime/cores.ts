/**
 * The processor's cores, which the models' threads take in turns. ONNX Runtime's threads spin while they work: two
 * models on the same cores slow each other down several times, where taking turns costs nothing. First come, first
 * served, one run at a time, so that a sentence is spoken between two tokens of the next.
 */

const DRAWN = 0
const SERVED = 1

export class Cores {
  private readonly tickets: Int32Array

  /** @param memory what threads share: given to each of them */
  constructor(readonly memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.tickets = new Int32Array(memory)
  }

  /** Does `work` when nobody else of all threads does any. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    const ticket = Atomics.add(this.tickets, DRAWN, 1)
    for (;;) {
      const served = Atomics.load(this.tickets, SERVED)
      if (served === ticket) break
      await Atomics.waitAsync(this.tickets, SERVED, served).value
    }
    try {
      return await work()
    } finally {
      Atomics.add(this.tickets, SERVED, 1)
      Atomics.notify(this.tickets, SERVED)
    }
  }
}
