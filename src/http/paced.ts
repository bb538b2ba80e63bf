/** Writing no faster than the reader takes it, so that a slow one stops the work instead of filling memory. */
import type { Response } from 'express'

/**
 * Resolves when there is room for more. A reader that takes nothing at all is cut off by the server's own time limit.
 * @throws the signal's reason, which is the end of the connection, too
 */
export async function writePaced(
  response: Response,
  data: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  if (response.write(data)) return
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go)
      signal.removeEventListener('abort', go)
      resolve()
    }
    response.on('drain', go)
    signal.addEventListener('abort', go)
  })
  signal.throwIfAborted()
}
