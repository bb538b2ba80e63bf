/** Speaking with the service: press, say something, press; or upload it; or type it. */
import { answer } from './answer.js'
import { transcribe } from './api.js'
import { Conversation } from './conversation.js'
import { element, isAbort, wordsOf } from './elements.js'
import { withKey } from './key.js'
import { LevelMeter } from './level.js'
import { hasMicrophone, Recording } from './microphone.js'
import { unlockSound } from './player.js'
import { sampling, systemMessages, voice } from './settings.js'
import { Stages } from './stages.js'
import { base64 } from './wav.js'

/** @typedef {import('./conversation.js').Turn} Turn */

const section = element('talk', HTMLElement)
const button = element('microphone', HTMLButtonElement)
const state = element('state', HTMLSpanElement)
/** Apart from the state, which is read aloud to those who can not see it. */
const seconds = element('seconds', HTMLSpanElement)
const anew = element('anew', HTMLButtonElement)
const message = element('message', HTMLTextAreaElement)
const writing = element('write', HTMLFormElement)
const file = element('question-file', HTMLInputElement)

/** What the button does in each state. */
const actions = { idle: 'Speak', listening: 'Done', answering: 'Stop' }
const invitation = hasMicrophone ? 'Press and speak' : 'Upload or type'

export class Talk {
  #models
  #conversation = new Conversation()
  #meter = new LevelMeter(element('level', HTMLCanvasElement))
  /** @type {keyof typeof actions} */
  #state = 'idle'
  /** @type {Recording | null} */
  #recording = null
  /** Ends what is under way. */
  #stop = new AbortController()

  /** @param {{ whisper: string, llama: string }} models their names */
  constructor(models) {
    this.#models = models
    this.#show('idle', invitation)
    element('with-microphone', HTMLSpanElement).hidden = !hasMicrophone
    element('no-microphone', HTMLParagraphElement).hidden = hasMicrophone
    button.addEventListener('click', () => this.#press())
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#stop.abort()
    })
    anew.addEventListener('click', () => {
      this.#stop.abort()
      this.#conversation.clear()
      anew.disabled = true
    })
    message.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
      event.preventDefault()
      writing.requestSubmit()
    })
    writing.addEventListener('submit', (event) => {
      event.preventDefault()
      const words = message.value.trim()
      if (words && this.#ask({ words })) message.value = ''
    })
    file.addEventListener('change', () => {
      const [sound] = file.files ?? []
      if (sound) this.#ask({ sound })
      file.value = ''
    })
  }

  /** @param {keyof typeof actions} now @param {string} words */
  #show(now, words) {
    this.#state = now
    section.dataset.state = now
    seconds.textContent = ''
    button.title = actions[now]
    button.setAttribute('aria-label', actions[now])
    // Without a microphone the button is there to stop.
    button.disabled = !hasMicrophone && now !== 'answering'
    if (state.textContent !== words) state.textContent = words
  }

  /** @param {string} [words] */
  #rest(words = invitation) {
    this.#meter.clear()
    this.#show('idle', words)
  }

  #begin() {
    this.#stop = new AbortController()
    return this.#stop
  }

  #press() {
    unlockSound()
    if (this.#state === 'idle') this.#listen()
    else if (this.#recording) this.#finish(this.#recording)
    else this.#stop.abort()
  }

  async #listen() {
    const { signal } = this.#begin()
    signal.addEventListener('abort', () => {
      this.#recording?.cancel()
      this.#recording = null
      if (this.#state === 'listening') this.#rest()
    })
    this.#show('listening', 'Opening the microphone …')
    try {
      const recording = await Recording.start((level) => {
        if (this.#recording === null || signal.aborted) return
        this.#meter.push(level)
        this.#show('listening', 'Listening: press when you are done')
        seconds.textContent = `${Math.floor(this.#recording.seconds)} s`
      })
      if (signal.aborted) recording.cancel()
      else this.#recording = recording
    } catch (error) {
      if (!signal.aborted) this.#rest(wordsOf(error))
    }
  }

  /** @param {Recording} recording */
  async #finish(recording) {
    this.#recording = null
    const since = performance.now()
    try {
      const sound = await recording.stop()
      this.#rest()
      this.#ask({ sound }, since)
    } catch (error) {
      this.#rest(wordsOf(error))
    }
  }

  /**
   * @param {{ words: string, sound?: never } | { words?: never, sound: Blob }} asked
   * @param {number} [since] when the user was done
   * @returns {boolean} whether it is asked: not while something else is, nor with settings that can not be
   */
  #ask({ words, sound }, since = performance.now()) {
    const options = this.#state === 'idle' && sampling()
    if (!options) return false
    unlockSound()
    const { signal } = this.#begin()
    const stages = new Stages(since)
    const question = this.#conversation.begin(true)
    if (sound) question.wait(sound instanceof File ? sound.name : 'Your recording')
    else question.append(words)
    const reply = this.#conversation.begin(false)
    reply.wait('…')
    anew.disabled = false
    this.#show('answering', sound ? 'Hearing …' : 'Thinking …')
    const content = sound ? partOf(sound).then((part) => [part]) : Promise.resolve(words)
    content
      .then((value) => {
        question.message = { role: 'user', content: value }
        return this.#answer({ question, reply, sound, stages }, options, signal)
      })
      .then(() => {
        if (!reply.words) reply.wait('There is nothing to say.')
      })
      .catch((error) => {
        if (!isAbort(error)) reply.fail(wordsOf(error))
        else if (!reply.words) reply.wait('Stopped.')
        // What was said counts, where it was cut, too; what had no answer was never asked.
        if (reply.words) reply.message = { role: 'assistant', content: reply.words }
        else question.message = null
      })
      .finally(() => this.#rest())
    return true
  }

  /**
   * @param {{ question: Turn, reply: Turn, sound: Blob | undefined, stages: Stages }} exchange
   * @param {Record<string, number>} options
   * @param {AbortSignal} signal
   */
  #answer({ question, reply, sound, stages }, options, signal) {
    reply.add(stages.element)
    const request = {
      model: this.#models.llama,
      messages: [...systemMessages(), ...this.#conversation.messages()],
      modalities: ['text', 'audio'],
      audio: { voice: voice(), format: 'pcm16' },
      ...options,
    }
    const told = {
      onThinking: () => {
        if (sound) stages.reached('heard')
        this.#show('answering', 'Thinking …')
      },
      onSound: () => {
        this.#show('answering', 'Speaking …')
        // Not before: the answer is not to wait while the page has the question written down.
        if (sound) this.#writeDown(question, sound)
      },
      onLevel: (/** @type {number} */ level) => this.#meter.push(level),
    }
    return withKey(() => answer(request, reply, stages, told, signal))
  }

  /**
   * The question in words, shown, and from then on told instead of the sound, which would be heard again at every turn.
   * @param {Turn} question
   * @param {Blob} sound
   */
  async #writeDown(question, sound) {
    try {
      const words = await transcribe(sound, this.#models.whisper)
      if (!words) return
      question.append(words)
      question.message = { role: 'user', content: words }
    } catch (error) {
      question.fail(`The question could not be written down: ${wordsOf(error)}`)
    }
  }
}

/** The service looks at the bytes, so any name of a format will do. @param {Blob} sound */
async function partOf(sound) {
  return { type: 'input_audio', input_audio: { data: await base64(sound), format: 'wav' } }
}
