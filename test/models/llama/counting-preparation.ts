/**
 * A preparation thread without a tokenizer, for preparation.test.ts: the tokens of every prompt are the number of the
 * question, and the settings' folder says how it ends when it is asked for a grammar, or at once.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Answer, PreparationSettings, Question, Start } from '#src/models/llama/preparation.js'

const { folder } = workerData as PreparationSettings
const port = parentPort!
let asked = 0

function end(): void {
  if (folder.startsWith('crash')) throw new RangeError('no memory')
  process.exit(3)
}

port.on('message', ({ kind }: Question) => {
  asked++
  if (kind === 'grammar') end()
  port.postMessage({ answer: { tokens: [asked], recordingTokens: 0, thoughts: 'none' } } satisfies Answer)
})
if (folder.endsWith('at once')) end()
const dialect = {
  system: 'anywhere',
  alternates: false,
  calls: undefined,
  parallelCalls: true,
  shortIds: false,
  describes: false,
  thinks: false,
} as const
port.postMessage({ dialect } satisfies Start)
