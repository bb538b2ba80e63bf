/** The turns of the conversation: what the page shows of them, and what the service is told of them. */
import { element, make } from './elements.js'

const log = element('turns', HTMLDivElement)
const invitation = element('invitation', HTMLParagraphElement)
// So that keys can scroll it.
log.tabIndex = 0

/** One turn, of the user or of the service. */
export class Turn {
  /** As a message of the API; none where nothing came of it. @type {object | null} */
  message = null
  element
  #words = make('p', 'words pending')

  /** @param {boolean} own */
  constructor(own) {
    const who = make('span', 'unseen', own ? 'You: ' : 'The service: ')
    this.element = make('article', own ? 'turn own' : 'turn', who, this.#words)
  }

  get words() {
    return this.#words.classList.contains('pending') ? '' : (this.#words.textContent ?? '')
  }

  /** Shown until there are words. @param {string} words */
  wait(words) {
    this.#words.textContent = words
  }

  /** @param {string} piece */
  append(piece) {
    if (this.#words.classList.replace('pending', 'said')) this.#words.textContent = ''
    this.#words.append(piece)
    follow()
  }

  /** @param {string} message */
  fail(message) {
    if (!this.words) this.#words.remove()
    const alert = make('p', 'words wrong', message)
    alert.role = 'alert'
    this.element.append(alert)
    follow()
  }

  /** @param {Node} node shown below the words */
  add(node) {
    this.element.append(node)
    follow()
  }
}

export class Conversation {
  /** @type {Turn[]} */
  #turns = []

  /** @param {boolean} own */
  begin(own) {
    const turn = new Turn(own)
    this.#turns.push(turn)
    invitation.hidden = true
    log.append(turn.element)
    follow(true)
    return turn
  }

  /** @returns {object[]} */
  messages() {
    return this.#turns.flatMap(({ message }) => message ?? [])
  }

  clear() {
    for (const { element: shown } of this.#turns) shown.remove()
    this.#turns = []
    invitation.hidden = false
  }
}

/** Keeps the newest words in sight, unless the user has scrolled back. */
function follow(always = false) {
  const below = log.scrollHeight - log.scrollTop - log.clientHeight
  if (always || below < 160) log.scrollTop = log.scrollHeight
}
