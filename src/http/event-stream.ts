/** Server-sent events as OpenAI sends them: `data:` lines of JSON. */
import type { Response } from 'express'
import { writePaced } from './paced.js'

/** A connection on which nothing moves for longer is cut by some proxies. */
const KEEP_ALIVE_MS = 15_000

export interface EventStreamOptions {
  /** Whether the end is told by an event of its own, as chat does. */
  readonly done?: boolean
  readonly keepAliveMs?: number
}

/**
 * Sends the events no faster than the client takes them. The answer begins with its first event, so that what fails
 * before is an answer with a status of its own; a comment goes out wherever nothing has for a while.
 */
export async function sendEvents(
  response: Response,
  events: AsyncIterable<object>,
  signal: AbortSignal,
  { done = true, keepAliveMs = KEEP_ALIVE_MS }: EventStreamOptions = {},
): Promise<void> {
  const keepAlive = setInterval(() => {
    begin(response)
    // What waits to be taken shows that it is not the client who waits.
    if (response.writableLength === 0) response.write(': still at work\n\n')
  }, keepAliveMs)
  const send = (data: string) => {
    begin(response)
    keepAlive.refresh()
    return writePaced(response, `data: ${data}\n\n`, signal)
  }
  try {
    for await (const event of events) await send(JSON.stringify(event))
    if (done) await send('[DONE]')
  } finally {
    clearInterval(keepAlive)
  }
  response.end()
}

/** Whether {@link sendEvents} has begun the answer: from then on errors are events, too. */
export function isEventStream(response: Response): boolean {
  return response.headersSent && String(response.getHeader('content-type')).startsWith('text/event-stream')
}

function begin(response: Response): void {
  if (response.headersSent) return
  response.setHeader('content-type', 'text/event-stream; charset=utf-8')
  response.setHeader('cache-control', 'no-cache')
  // nginx would collect the events before it passes them on.
  response.setHeader('x-accel-buffering', 'no')
}
