/** OpenAI's messages → the assistant's conversation: parts are joined, recordings decoded, reply ids unfolded. */

import type { Message, Part } from '../assistant/conversation.js'
import { replyTranscript } from '../assistant/reply-id.js'
import { decodeBase64 } from '../audio/base64.js'
import { decodeRecording } from '../audio/decode.js'
import type { AudioLimits } from '../audio/wav.js'
import { ServiceError } from '../errors.js'
import type { ChatMessage, RecordingPart } from './chat-schema.js'

/** @throws ServiceError naming the message and part at fault */
export async function conversation(
  messages: readonly ChatMessage[],
  limits: AudioLimits,
): Promise<Message[]> {
  const result: Message[] = []
  for (const [i, message] of messages.entries()) {
    const role = message.role === 'developer' ? 'system' : message.role
    result.push({ role, parts: await parts(message, `messages[${i}]`, limits) })
  }
  return result
}

async function parts(message: ChatMessage, at: string, limits: AudioLimits): Promise<Part[]> {
  const { content, audio } = message
  if (audio) return [{ kind: 'text', text: replyTranscript(audio.id, `${at}.audio.id`) }]
  if (content === null || content === undefined)
    throw new ServiceError(
      'missing_required_parameter',
      `Missing required parameter: '${at}.content'.`,
      `${at}.content`,
    )
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  const result: Part[] = []
  for (const [i, part] of content.entries())
    result.push(
      part.type === 'text'
        ? { kind: 'text', text: part.text }
        : { kind: 'recording', samples: await samples(part, `${at}.content[${i}].input_audio`, limits) },
    )
  return result
}

async function samples(
  { input_audio: { data, format } }: RecordingPart,
  at: string,
  limits: AudioLimits,
): Promise<Float32Array> {
  if (format !== 'wav')
    throw new ServiceError(
      'unsupported_value',
      `Unsupported value: '${at}.format' does not support ${JSON.stringify(format.slice(0, 32))}. Supported values are: 'wav'.`,
      `${at}.format`,
    )
  return decodeRecording(decodeBase64(data, `${at}.data`), limits, `${at}.data`)
}
