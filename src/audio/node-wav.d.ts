/** node-wav 0.0.2 comes without types; these are the parts that the service uses. */
declare module 'node-wav' {
  export interface Decoded {
    readonly sampleRate: number
    readonly channelData: readonly Float32Array[]
  }
  export interface EncodeOptions {
    readonly sampleRate: number
    readonly bitDepth?: 8 | 16 | 24 | 32
    readonly float?: boolean
  }
  /** Undefined when it met no data chunk; see test/audio/node-wav.test.ts for what else it gets wrong. */
  export function decode(file: ArrayBuffer | Uint8Array): Decoded | undefined
  export function encode(channelData: readonly Float32Array[], options: EncodeOptions): Buffer
}
