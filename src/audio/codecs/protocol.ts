/** Every message that crosses between the main thread and the codecs' thread: each call has exactly one answer. */
import type { WireError } from '../../errors.js'

/** What the codecs write; `wav` and `pcm16` need none. */
export type CodedFormat = 'mp3' | 'flac' | 'opus' | 'aac'

export type Request =
  /** Bytes of a recording to samples, at most `maxSeconds` of them. */
  | { readonly kind: 'decode'; readonly bytes: Uint8Array; readonly maxSeconds: number }
  | { readonly kind: 'open'; readonly format: CodedFormat; readonly sampleRate: number }
  /** Samples for the encoder that `open` named. */
  | { readonly kind: 'write'; readonly encoder: number; readonly samples: Float32Array }
  | { readonly kind: 'close'; readonly encoder: number }
  /** Gives the encoder up. */
  | { readonly kind: 'drop'; readonly encoder: number }
  /** Whether the thread still answers. */
  | { readonly kind: 'ping' }

export interface Decoded {
  /** The mean of all channels. */
  readonly mono: Float32Array
  /** In Hz. */
  readonly sampleRate: number
}

/** What each request is answered with. */
export interface Answers {
  readonly decode: Decoded
  /** The encoder's number. */
  readonly open: number
  readonly write: Uint8Array
  /** The rest of the file. */
  readonly close: Uint8Array
  readonly drop: null
  readonly ping: null
}

export type ToCodecs =
  | { readonly call: number; readonly request: Request }
  /** The caller waits no more: a decoding stops. */
  | { readonly call: number; readonly request: null }

export type FromCodecs =
  | { readonly call: number; readonly answer: Answers[keyof Answers] }
  | { readonly call: number; readonly error: WireError }
