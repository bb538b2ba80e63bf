/** OpenAI's voice names on Kokoro's voices, matched by pitch and manner. */
import { ServiceError } from '../errors.js'

export const openaiVoices: Readonly<Record<string, string>> = {
  alloy: 'af_alloy',
  ash: 'am_adam',
  ballad: 'bm_george',
  cedar: 'am_puck',
  coral: 'af_bella',
  echo: 'am_echo',
  fable: 'bm_fable',
  marin: 'af_heart',
  nova: 'af_nova',
  onyx: 'am_onyx',
  sage: 'af_sarah',
  shimmer: 'af_sky',
  verse: 'am_michael',
}

/**
 * The model's voice for a name of OpenAI's or of its own.
 * @param asked the name, or an object that holds it: OpenAI's way to name a voice of one's own
 * @param known the model's voices
 */
export function resolveVoice(
  asked: string | { readonly id: string },
  known: readonly string[],
  param: string,
): string {
  const name = typeof asked === 'string' ? asked : asked.id
  const own = Object.hasOwn(openaiVoices, name) ? openaiVoices[name]! : name
  if (known.includes(own)) return own
  throw new ServiceError(
    'unknown_voice',
    `There is no voice ${JSON.stringify(name.slice(0, 64))}. Voices: ${[...Object.keys(openaiVoices), ...known].join(', ')}.`,
    param,
  )
}
