/** The HTTP API on a port, before models that do exactly what a test tells them. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Admission } from '#src/assistant/admission.js'
import type { Models } from '#src/assistant/registry.js'
import { createApp } from '#src/http/app.js'
import type { SpeakEvent, SpeakRequest } from '#src/models/kokoro/speak.js'
import type { GenerateEvent, GenerateRequest } from '#src/models/llama/request.js'
import type { TranscribeEvent } from '#src/models/whisper/transcribe.js'

type Script = (
  request: GenerateRequest,
  signal: AbortSignal,
) => Iterable<GenerateEvent> | AsyncIterable<GenerateEvent>

export interface Scripted {
  readonly url: string
  /** What the language model was asked, the latest last. */
  readonly asked: GenerateRequest[]
  /** What it answers. */
  script: Script
  close(): Promise<void>
}

export const start: GenerateEvent = { kind: 'start', promptTokens: 20, cachedTokens: 8, recordingTokens: 0 }
export const words = (text: string, choice = 0): GenerateEvent => ({ kind: 'text', choice, text })
export const end = (
  reason: 'stop' | 'length' | 'calls' = 'stop',
  { choice = 0, completionTokens = 7, reasoningTokens = 0 } = {},
): GenerateEvent => ({ kind: 'end', choice, reason, completionTokens, reasoningTokens })

/** A call, its arguments in pieces. */
export const calling = (id: string, name: string, pieces: readonly string[], call = 0): GenerateEvent[] => [
  { kind: 'call', choice: 0, call, id, name },
  ...pieces.map((text): GenerateEvent => ({ kind: 'arguments', choice: 0, call, text })),
]

/** Whisper hears "A recording."; Kokoro has a sample for each character. */
export async function startScripted(admission = new Admission(1000, 0)): Promise<Scripted> {
  const asked: GenerateRequest[] = []
  const models = {
    whisper: {
      info: { name: 'ears', facts: {} },
      async *call(): AsyncGenerator<TranscribeEvent> {
        yield { kind: 'end', text: 'A recording.', language: 'en', seconds: 1, tokens: 3 } as TranscribeEvent
      },
    },
    llama: {
      info: { name: 'head', facts: { contextTokens: 8192, vocabulary: 1000 } },
      async *call(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
        asked.push(request)
        yield* scripted.script(request, signal)
      },
    },
    kokoro: {
      info: { name: 'mouth', facts: { voices: ['af_alloy', 'bm_george'], sampleRate: 24_000 } },
      async *call({ text }: SpeakRequest): AsyncGenerator<SpeakEvent> {
        yield { kind: 'audio', samples: new Float32Array(text.length), text }
        yield { kind: 'end', seconds: 0, symbols: text.length }
      },
    },
  } as unknown as Models
  const app = createApp({
    models,
    admission,
    logger: pino({ level: 'silent' }),
    info: { version: '1', runtime: 'none', models: [], readyAt: 0 },
    limits: {
      maxAudioSeconds: 60,
      maxBody: 4 << 20,
      maxReplyTokens: 512,
      maxSpokenTokens: 160,
      maxSpeechCharacters: 1000,
      intents: true,
    },
    apiKey: null,
    corsOrigins: [],
    requestsPerMinute: null,
    strictModels: false,
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const scripted: Scripted = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    script: () => [start, words('Hello.'), end()],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return scripted
}
