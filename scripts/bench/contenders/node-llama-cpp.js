/**
 * node-llama-cpp's prebuilt binary: sequences of one context, batched as it does by default (512 tokens at once), and
 * sampled. What it shares out among prompts goes, as of 3.22, to the first until that is read.
 * usage: node node-llama-cpp.js '{"folder": with its node_modules, "model": GGUF, "threads": 2}'
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { firstTokens, prompt, rate, tell, workload } from './workload.js'

const { folder, model, threads } = JSON.parse(process.argv[2])
const { streams, before, steps, long } = workload
const require = createRequire(join(folder, 'package.json'))
const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')).href)
const llama = await getLlama({ gpu: false, build: 'never' })
const loaded = await llama.loadModel({ modelPath: model })

async function open(count, contextSize) {
  const context = await loaded.createContext({ contextSize, sequences: count, threads })
  return { context, sequences: Array.from({ length: count }, () => context.getSequence()) }
}

async function prefill(sequence, count) {
  await sequence.clearHistory()
  await sequence.evaluateWithoutGeneratingNewTokens(prompt(count))
}

/** Goes on behind what it would end with: all contenders write the same number of tokens. */
async function write(sequence, tokens, count) {
  let left = count
  for await (const _ of sequence.evaluate(tokens, { yieldEogToken: true })) if (--left === 0) return
  throw new Error(`${left} of ${count} tokens were not written`)
}

const { context, sequences } = await open(streams, 1024)
const rates = [
  await rate(128, () => prefill(sequences[0], 128)),
  await rate(512, () => prefill(sequences[0], 512)),
]
for (const sequence of sequences) await prefill(sequence, before)
rates.push(await rate(steps, () => write(sequences[0], [1000], steps)))
rates.push(
  await rate(streams * steps, () => Promise.all(sequences.map((sequence) => write(sequence, [1000], steps)))),
)
await context.dispose()

const { sequences: pair } = await open(2, long + 64)
tell([
  ...rates,
  ...(await firstTokens(
    (which, tokens) => write(pair[which], tokens, 1),
    () => Promise.all(pair.map((sequence) => sequence.clearHistory())),
  )),
])
