/** How long after the user was done each stage of the work was reached. */
import { make } from './elements.js'

export class Stages {
  element = make('dl', 'stages')
  #since
  /** @type {Set<string>} */
  #told = new Set()

  /** @param {number} [since] on the clock of performance.now() */
  constructor(since = performance.now()) {
    this.#since = since
  }

  /**
   * Only the first time counts.
   * @param {string} stage
   * @param {number} [at] on the clock of performance.now()
   */
  reached(stage, at = performance.now()) {
    if (this.#told.has(stage)) return
    this.#told.add(stage)
    const seconds = ((at - this.#since) / 1000).toFixed(2)
    this.element.append(make('div', '', make('dt', '', stage), make('dd', '', `${seconds} s`)))
  }
}
