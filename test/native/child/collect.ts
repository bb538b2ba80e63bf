/** Runs the collector until the finalisers of what it found have run. */
export async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    global.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
