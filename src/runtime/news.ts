/**
 * News of a thread's calls on their way to the main thread, sent together where they come together. To wake a thread
 * costs more than to tell it something, and here every core has a thread of the engine, which the others then wait for.
 */
import type { CallNews, FromThread } from './protocol.js'

export class NewsSender {
  #news: CallNews[] = []

  constructor(private readonly post: (message: FromThread) => void) {}

  /** Sends it when the code that runs has come to its end, its promises included: before the engine's next run. */
  send(news: CallNews): void {
    if (this.#news.push(news) === 1) process.nextTick(() => this.flush())
  }

  /** Sends at once what has not been sent. */
  flush(): void {
    if (this.#news.length === 0) return
    const news = this.#news
    this.#news = []
    this.post({ kind: 'news', news })
  }
}
