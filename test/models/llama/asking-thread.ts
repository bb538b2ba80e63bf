/** A thread that asks a preparation thread which ends without having been asked, for preparation.test.ts. */
import { workerData } from 'node:worker_threads'
import { Preparation } from '#src/models/llama/preparation.js'

const entry = new URL('./counting-preparation.js', import.meta.url)
const settings = { folder: workerData as string, vocabulary: 1, stopTokens: new Set([0]) }
const preparation = await Preparation.start(settings, entry)
await preparation.ask({ kind: 'grammar', shape: { kind: 'json' } }, new AbortController().signal)
