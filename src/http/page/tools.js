/** Files to texts, and texts to sound. */
import { speech, transcribe } from './api.js'
import { element, isAbort, make, quietButton, wordsOf } from './elements.js'
import { withKey } from './key.js'
import { Playback } from './player.js'
import { voice } from './settings.js'
import { Stages } from './stages.js'

/** @param {string} model */
export function offerTranscription(model) {
  const input = element('transcribe-file', HTMLInputElement)
  const result = element('transcript', HTMLDivElement)
  let last = new AbortController()

  /** @param {File} file */
  async function show(file) {
    last.abort()
    last = new AbortController()
    const { signal } = last
    const stages = new Stages()
    result.classList.remove('wrong')
    result.hidden = false
    result.replaceChildren(`Hearing ${file.name} …`)
    try {
      const words = await withKey(() => transcribe(file, model, signal))
      stages.reached('heard')
      const copy = quietButton('Copy', async () => {
        await navigator.clipboard.writeText(words)
        copy.textContent = 'Copied'
      })
      result.replaceChildren(make('p', '', words || 'There is nothing to understand in it.'), stages.element)
      // Browsers keep the clipboard, too, from pages that others may have changed.
      if (words && navigator.clipboard) result.append(copy)
    } catch (error) {
      if (signal.aborted) return
      result.classList.add('wrong')
      result.replaceChildren(wordsOf(error))
    }
  }

  input.addEventListener('change', () => {
    const [file] = input.files ?? []
    if (file) show(file)
    input.value = ''
  })
  takeDrops(show)
}

/** Anywhere on the page. @param {(file: File) => void} take */
function takeDrops(take) {
  const { classList } = document.documentElement
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    classList.add('dropping')
  })
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) classList.remove('dropping')
  })
  document.addEventListener('drop', (event) => {
    classList.remove('dropping')
    const [file] = event.dataTransfer?.files ?? []
    if (!file) return
    event.preventDefault()
    take(file)
  })
}

/** @param {string} model */
export function offerSpeech(model) {
  const text = element('text', HTMLTextAreaElement)
  const speed = element('speed', HTMLInputElement)
  const shown = element('speed-shown', HTMLOutputElement)
  const button = element('say', HTMLButtonElement)
  const result = element('spoken', HTMLDivElement)
  /** @type {AbortController | null} */
  let speaking = null

  speed.addEventListener('input', () => {
    shown.value = `${Number(speed.value)}×`
  })
  element('speak', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault()
    if (speaking) return speaking.abort()
    speaking = new AbortController()
    const { signal } = speaking
    const stages = new Stages()
    button.textContent = 'Stop'
    result.classList.remove('wrong')
    result.replaceChildren(stages.element)
    result.hidden = false
    try {
      const request = { model, input: text.value, voice: voice(), speed: speed.valueAsNumber }
      await withKey(() => play(request, stages, signal))
    } catch (error) {
      result.hidden = isAbort(error)
      result.classList.add('wrong')
      result.replaceChildren(wordsOf(error))
    } finally {
      speaking = null
      button.textContent = 'Speak'
    }
  })
}

/**
 * Resolves when the last sound was heard.
 * @param {Parameters<typeof speech>[0]} request
 * @param {Stages} stages
 * @param {AbortSignal} signal
 */
async function play(request, stages, signal) {
  const playback = new Playback()
  signal.addEventListener('abort', () => playback.stop())
  try {
    for await (const bytes of speech(request, signal)) {
      playback.push(bytes)
      if (playback.heardAt !== undefined) stages.reached('first sound', playback.heardAt)
    }
    stages.reached('whole')
    playback.end()
    await playback.over
  } catch (error) {
    playback.stop()
    throw error
  }
}
