/** OpenAI's messages → the assistant's conversation: recordings decoded, reply ids unfolded, calls beside their answers. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Message, Part } from '../assistant/conversation.js'
import { replyTranscript } from '../assistant/reply-id.js'
import { decodeBase64 } from '../audio/base64.js'
import { decodeRecording, recogniserRate, recordingFormats } from '../audio/decode.js'
import { ServiceError } from '../errors.js'
import type { AssistantMessage, ChatMessage, RecordingPart, RefusalPart, TextPart } from './message-schema.js'
import { checkToolMessages } from './tool-messages.js'

/** Of one request. */
export interface ConversationLimits {
  /** Of all recordings together. */
  readonly maxSeconds: number
  readonly maxRecordings: number
}

/**
 * Characters of the arguments of all calls of a request. They are JSON to be read and written anew, which takes seconds
 * where 25 MB are brackets; a context holds far less.
 */
const MOST_ARGUMENTS = 1 << 20

/**
 * Yields to the event loop at every recording and reply id, and looks at `signal` there.
 * @throws ServiceError naming the message and part at fault; the signal's reason
 */
export async function conversation(
  messages: readonly ChatMessage[],
  limits: ConversationLimits,
  signal: AbortSignal,
): Promise<Message[]> {
  checkToolMessages(messages)
  const reader = new Reader(limits, signal)
  const result: Message[] = []
  for (const [i, message] of messages.entries()) result.push(await reader.message(message, `messages[${i}]`))
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
  private argumentCharacters = 0

  constructor(limits: ConversationLimits, signal: AbortSignal) {
    this.limits = limits
    this.signal = signal
  }

  async message(message: ChatMessage, at: string): Promise<Message> {
    switch (message.role) {
      case 'assistant':
        return this.reply(message, at)
      case 'tool':
        return {
          role: 'tool',
          callId: message.tool_call_id,
          parts: await this.parts(message.content, at),
        }
      default: {
        const role = message.role === 'developer' ? 'system' : message.role
        return { role, parts: await this.parts(message.content, at) }
      }
    }
  }

  private async reply(message: AssistantMessage, at: string): Promise<Message> {
    if (message.function_call)
      throw new ServiceError(
        'unsupported_value',
        `Unsupported value: '${at}.function_call' is not supported: send it as 'tool_calls'.`,
        `${at}.function_call`,
      )
    const { audio, content = null, refusal = null, tool_calls } = message
    const calls = tool_calls ?? []
    const said = content ?? refusal ?? (calls.length > 0 ? [] : null)
    if (!audio && said === null)
      throw new ServiceError(
        'missing_required_parameter',
        `Missing required parameter: '${at}.content'.`,
        `${at}.content`,
      )
    const parts = audio
      ? [{ kind: 'text' as const, text: await this.transcript(audio.id, `${at}.audio.id`) }]
      : await this.parts(said ?? [], at)
    if (calls.length === 0) return { role: 'assistant', parts }
    for (const call of calls) this.argumentCharacters += call.function.arguments.length
    if (this.argumentCharacters > MOST_ARGUMENTS)
      throw new ServiceError(
        'invalid_value',
        `${at}.tool_calls: the arguments of this request's calls have together more than ${MOST_ARGUMENTS} characters, the limit`,
        `${at}.tool_calls`,
      )
    return { role: 'assistant', parts, toolCalls: calls.map(({ id, function: call }) => ({ id, ...call })) }
  }

  private async parts(
    content: string | readonly (TextPart | RefusalPart | RecordingPart)[],
    at: string,
  ): Promise<Part[]> {
    if (typeof content === 'string') return [{ kind: 'text', text: content }]
    const result: Part[] = []
    for (const [i, part] of content.entries())
      if (part.type === 'input_audio')
        result.push({
          kind: 'recording',
          samples: await this.recording(part, `${at}.content[${i}].input_audio`),
        })
      else result.push({ kind: 'text', text: part.type === 'text' ? part.text : part.refusal })
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
