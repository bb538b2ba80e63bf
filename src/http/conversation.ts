/** OpenAI's messages → the assistant's conversation: parts are joined, recordings decoded, reply ids unfolded. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Message, Part } from '../assistant/conversation.js'
import { replyTranscript } from '../assistant/reply-id.js'
import { decodeBase64 } from '../audio/base64.js'
import { decodeRecording, recogniserRate, recordingFormats } from '../audio/decode.js'
import { ServiceError } from '../errors.js'
import type { ChatMessage, RecordingPart } from './chat-schema.js'

/** Of one request. */
export interface ConversationLimits {
  /** Of all recordings together. */
  readonly maxSeconds: number
  readonly maxRecordings: number
}

/**
 * Yields to the event loop at every recording and reply id, and looks at `signal` there.
 * @throws ServiceError naming the message and part at fault; the signal's reason
 */
export async function conversation(
  messages: readonly ChatMessage[],
  limits: ConversationLimits,
  signal: AbortSignal,
): Promise<Message[]> {
  const reader = new Reader(limits, signal)
  const result: Message[] = []
  for (const [i, message] of messages.entries()) {
    const role = message.role === 'developer' ? 'system' : message.role
    result.push({ role, parts: await reader.parts(message, `messages[${i}]`) })
  }
  return result
}

/** Reads the messages of one request, and counts what they use of its limits. */
class Reader {
  private readonly limits: ConversationLimits
  private readonly signal: AbortSignal
  private recordings = 0
  /** At 16 kHz. */
  private samples = 0
  private transcriptBytes = 0

  constructor(limits: ConversationLimits, signal: AbortSignal) {
    this.limits = limits
    this.signal = signal
  }

  async parts({ content, audio }: ChatMessage, at: string): Promise<Part[]> {
    if (audio) return [{ kind: 'text', text: await this.transcript(audio.id, `${at}.audio.id`) }]
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
          : { kind: 'recording', samples: await this.recording(part, `${at}.content[${i}].input_audio`) },
      )
    return result
  }

  private async transcript(id: string, at: string): Promise<string> {
    await this.turn()
    const text = replyTranscript(id, at, this.transcriptBytes)
    this.transcriptBytes += Buffer.byteLength(text)
    return text
  }

  private async recording(
    { input_audio: { data, format } }: RecordingPart,
    at: string,
  ): Promise<Float32Array> {
    const { maxSeconds, maxRecordings } = this.limits
    if (++this.recordings > maxRecordings)
      throw new ServiceError(
        'invalid_value',
        `${at}: this is recording ${this.recordings} of the request; the limit is ${maxRecordings}`,
        at,
      )
    if (!recordingFormats.includes(format))
      throw new ServiceError(
        'unsupported_value',
        `Unsupported value: '${at}.format' does not support ${JSON.stringify(format.slice(0, 32))}. Supported values are: ${recordingFormats.map((name) => `'${name}'`).join(', ')}.`,
        `${at}.format`,
      )
    await this.turn()
    const samples = await decodeRecording(
      decodeBase64(data, `${at}.data`),
      { maxSeconds, secondsBefore: this.samples / recogniserRate },
      `${at}.data`,
      this.signal,
    )
    this.samples += samples.length
    return samples
  }

  /** Many short ones would otherwise keep the event loop, and with it the client's going away, waiting. */
  private async turn(): Promise<void> {
    await nextTurn()
    this.signal.throwIfAborted()
  }
}
