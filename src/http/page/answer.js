/** One answer of the service: its words shown and its sound played while they come. */
import { chat } from './api.js'
import { Playback } from './player.js'
import { bytesOf } from './wav.js'

const METER_MS = 25

/**
 * Resolves when the last sound was heard.
 * @param {object} request
 * @param {import('./conversation.js').Turn} turn the answer's, which gets the words and becomes a message
 * @param {import('./stages.js').Stages} stages
 * @param {{
 *   onThinking: () => void,
 *   onSound: () => void,
 *   onLevel: (level: number) => void,
 * }} told `onSound` at the first sound, or after the last word where there is none
 * @param {AbortSignal} signal
 * @throws {Error} what went wrong, or that it was stopped
 */
export async function answer(request, turn, stages, { onThinking, onSound, onLevel }, signal) {
  const playback = new Playback()
  const stop = () => playback.stop()
  signal.addEventListener('abort', stop)
  const meter = setInterval(() => {
    if (playback.heardAt !== undefined) onLevel(playback.level())
  }, METER_MS)
  try {
    for await (const { choices } of chat(request, signal)) {
      const { role, audio = {} } = choices[0]?.delta ?? {}
      if (role) onThinking()
      if (audio.transcript) {
        stages.reached('first words')
        turn.append(audio.transcript)
      }
      if (audio.data) {
        const first = playback.heardAt === undefined
        playback.push(bytesOf(audio.data))
        stages.reached('first sound', playback.heardAt)
        if (first) onSound()
      }
      if (audio.id) turn.message = { role: 'assistant', audio: { id: audio.id } }
    }
    stages.reached('whole')
    if (playback.heardAt === undefined) onSound()
    playback.end()
    await playback.over
  } catch (error) {
    playback.stop()
    throw error
  } finally {
    clearInterval(meter)
    signal.removeEventListener('abort', stop)
  }
}
