/** The page: what the service is, and the three ways to use it. */
import { checkKey, health } from './api.js'
import { element, wordsOf } from './elements.js'
import { withKey } from './key.js'
import { Talk } from './talk.js'
import { offerSpeech, offerTranscription } from './tools.js'
import { offerVoices } from './voices.js'

const service = element('service', HTMLParagraphElement)

try {
  const { version, models } = await health()
  service.textContent = `Version ${version} · ${models.map(({ name }) => name).join(', ')}`
  /** @param {'whisper' | 'llama' | 'kokoro'} family */
  const name = (family) => models.find((model) => model.family === family)?.name ?? family
  offerVoices(
    element('voice', HTMLSelectElement),
    models.flatMap(({ voices }) => voices ?? []),
  )
  new Talk({ whisper: name('whisper'), llama: name('llama') })
  offerTranscription(name('whisper'))
  offerSpeech(name('kokoro'))
  await withKey(checkKey)
} catch (error) {
  service.textContent = wordsOf(error)
}
