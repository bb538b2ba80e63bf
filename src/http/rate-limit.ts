/** How many requests a client may make a minute: a bucket for each that fills evenly. */
import type { RequestHandler } from 'express'
import { ServiceError } from '../errors.js'

interface Bucket {
  /** Requests that may still be made, at time `at` (ms). */
  left: number
  at: number
}

/** Full buckets are forgotten when there are so many. */
const MOST_BUCKETS = 10_000

export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>()

  constructor(readonly perMinute: number) {}

  /**
   * Takes one request of `client`'s bucket at time `now` (ms).
   * @returns whether there was one; what is left; seconds until one more, and until all are there again
   */
  take(client: string, now: number): { allowed: boolean; left: number; next: number; full: number } {
    const { left: before, at } = this.buckets.get(client) ?? { left: this.perMinute, at: now }
    const perMs = this.perMinute / 60_000
    const filled = Math.min(this.perMinute, before + (now - at) * perMs)
    const allowed = filled >= 1
    const left = allowed ? filled - 1 : filled
    this.buckets.delete(client)
    this.buckets.set(client, { left, at: now })
    if (this.buckets.size > MOST_BUCKETS) this.forget(now, perMs)
    const seconds = (missing: number) => Math.max(0, missing) / perMs / 1000
    return { allowed, left: Math.floor(left), next: seconds(1 - left), full: seconds(this.perMinute - left) }
  }

  /** Those that are full again by now; if there are none, the one that was used the longest ago. */
  private forget(now: number, perMs: number): void {
    for (const [client, { left, at }] of this.buckets)
      if (left + (now - at) * perMs >= this.perMinute) this.buckets.delete(client)
    const [oldest] = this.buckets.keys()
    if (this.buckets.size > MOST_BUCKETS && oldest !== undefined) this.buckets.delete(oldest)
  }
}

/** Clients are told apart by their address. */
export function limitRate(limiter: RateLimiter): RequestHandler {
  return function countRequest(request, response, next) {
    const {
      allowed,
      left,
      next: wait,
      full,
    } = limiter.take(request.socket.remoteAddress ?? '', performance.now())
    response.setHeader('x-ratelimit-limit-requests', limiter.perMinute)
    response.setHeader('x-ratelimit-remaining-requests', left)
    response.setHeader('x-ratelimit-reset-requests', duration(full))
    if (allowed) return next()
    response.setHeader('retry-after', Math.max(1, Math.ceil(wait)))
    throw new ServiceError(
      'rate_limit_exceeded',
      `Rate limit reached: ${limiter.perMinute} requests per minute (REQUESTS_PER_MINUTE). Please try again in ${duration(wait)}.`,
    )
  }
}

/** As OpenAI writes them: 850ms, 12.5s, 1m0s. */
function duration(seconds: number): string {
  if (seconds < 1) return `${Math.ceil(seconds * 1000)}ms`
  if (seconds < 60) return `${Math.round(seconds * 10) / 10}s`
  return `${Math.floor(seconds / 60)}m${Math.floor(seconds % 60)}s`
}
