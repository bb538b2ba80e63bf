/** How loud it is, and a picture of the last seconds of it. */

/** From here (in dB below full scale) up to 0 dB it goes from 0 to 1. */
const QUIETEST = -54

/** @param {Float32Array} samples */
export function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
  return Math.max(0, Math.min(1, 1 - (10 * Math.log10(power + 1e-12)) / QUIETEST))
}

const BAR = 3
const GAP = 2

/** Bars that wander from right to left on a canvas, in the canvas's own colour. */
export class LevelMeter {
  /** @type {number[]} */
  #levels = []
  #canvas
  #context
  /** Whether it is to be drawn when the screen is next. */
  #stale = false

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
    new ResizeObserver(() => {
      canvas.width = canvas.clientWidth * devicePixelRatio
      canvas.height = canvas.clientHeight * devicePixelRatio
      this.#draw()
    }).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw())
  }

  /** @param {number} level 0 … 1 */
  push(level) {
    this.#levels.push(level)
    this.#redraw()
  }

  clear() {
    this.#levels = []
    this.#redraw()
  }

  #redraw() {
    if (!this.#stale) requestAnimationFrame(() => this.#draw())
    this.#stale = true
  }

  #draw() {
    this.#stale = false
    const context = this.#context
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight]
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context.clearRect(0, 0, width, height)
    context.fillStyle = getComputedStyle(this.#canvas).color
    const places = Math.floor(width / (BAR + GAP))
    this.#levels = this.#levels.slice(-places)
    const empty = places - this.#levels.length
    context.beginPath()
    for (let i = 0; i < places; i++) {
      const length = Math.max(BAR, (this.#levels[i - empty] ?? 0) * height)
      context.roundRect(i * (BAR + GAP), (height - length) / 2, BAR, length, BAR / 2)
    }
    context.fill()
  }
}
