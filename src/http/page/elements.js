/** The page's elements, found and made. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`The page has no ${kind.name} with the id ${id}.`)
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {...(Node | string)} children
 */
export function make(tag, className, ...children) {
  const made = document.createElement(tag)
  made.className = className
  made.append(...children)
  return made
}

/**
 * @param {string} words
 * @param {() => void} onClick
 */
export function quietButton(words, onClick) {
  const button = make('button', 'quiet', words)
  button.type = 'button'
  button.addEventListener('click', onClick)
  return button
}

/** @param {unknown} error @returns {string} words for people */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error))

/** @param {unknown} error whether the user gave up what failed */
export const isAbort = (error) => error instanceof DOMException && error.name === 'AbortError'
