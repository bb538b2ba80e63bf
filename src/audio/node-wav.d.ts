/** node-wav 0.0.2 comes without types; this is the part that the service uses. */
declare module 'node-wav' {
  export interface Decoded {
    readonly sampleRate: number
    readonly channelData: readonly Float32Array[]
  }
  /** Undefined when it met no data chunk; see test/audio/node-wav.test.ts for what else it gets wrong. */
  export function decode(file: ArrayBuffer | Uint8Array): Decoded | undefined
}
