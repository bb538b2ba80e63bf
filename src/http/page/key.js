/** Asks for the API key where the service wants one. */
import { KeyWanted, savedKey } from './api.js'
import { element } from './elements.js'

const dialog = element('key-dialog', HTMLDialogElement)
const input = element('key', HTMLInputElement)

element('key-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close())
element('key-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  savedKey.set(input.value.trim())
  dialog.close('given')
})

/**
 * Does the work, again with each key that the user gives.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @throws {Error} whatever the work throws; KeyWanted where the user gives no key
 */
export async function withKey(work) {
  for (;;)
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof KeyWanted && (await ask(error.message)))) throw error
    }
}

/** @param {string} reason @returns {Promise<boolean>} whether there is a key to try */
function ask(reason) {
  element('key-reason', HTMLParagraphElement).textContent = reason
  input.value = ''
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'given'), { once: true })
  })
}
