/** Two things at once: the events of several generators as they arise. */

/**
 * All sources run at the same time, each at most one event ahead of the reader. When one fails or the reader stops, the
 * others are ended before this returns.
 * @param stop aborted then; what the sources wait for must follow it
 */
export async function* merged<Event>(
  sources: readonly AsyncGenerator<Event>[],
  stop: AbortController,
): AsyncGenerator<Event> {
  const next = async (source: AsyncGenerator<Event>) => ({ source, result: await source.next() })
  const pending = new Map(sources.map((source) => [source, next(source)]))
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values())
      if (result.done) pending.delete(source)
      else {
        pending.set(source, next(source))
        yield result.value
      }
    }
  } finally {
    stop.abort()
    await Promise.allSettled([...pending].flatMap(([source, event]) => [event, source.return(undefined)]))
  }
}
