#!/usr/bin/env node
/**
 * How fast the language model reads and writes beside its peers: same checkpoint, same threads, in turns.
 *   node scripts/bench/llama-peers.js [--rounds 3] [--threads 2] [--checkpoint checkpoints/smollm2-135m-instruct]
 *     [--node-llama-cpp <folder whose node_modules has it>] [--llama-cpp-python <python that has llama_cpp>]
 * llama.cpp for this very processor: CMAKE_ARGS=-DGGML_NATIVE=ON pip install --no-binary llama-cpp-python llama-cpp-python
 * --plain keeps llama.cpp from repacking weights for AMX, where that ends in a segmentation fault.
 * Every round starts each contender anew. Tokens a second: prompts of 128 and 512; one stream and eight at once, each
 * behind 128 tokens. Ours is measured at the session, llama.cpp at llama_decode; node-llama-cpp also samples.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const REPEATS = 5
const STEPS = 40
const STREAMS = 8
const BEFORE = 128
const measures = ['prefill 128', 'prefill 512', 'one stream', `${STREAMS} streams`]

/** llama.cpp through ctypes: prints what {@link measures} names. */
const PYTHON = `
import ctypes, json, sys, time
import llama_cpp as c
model, threads, o = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
quiet = c.llama_log_callback(lambda level, text, data: None)
c.llama_log_set(quiet, ctypes.c_void_p(0))
c.llama_backend_init()
mp = c.llama_model_default_params(); mp.n_gpu_layers = 0; mp.use_extra_bufts = not o['plain']
m = c.llama_model_load_from_file(model.encode(), mp)
cp = c.llama_context_default_params()
cp.n_ctx, cp.n_batch, cp.n_ubatch, cp.n_seq_max = 1024 * o['STREAMS'], 512, 512, o['STREAMS']
cp.n_threads = cp.n_threads_batch = threads
x = c.llama_init_from_model(m, cp)
mem = c.llama_get_memory(x)
b = c.llama_batch_init(512, 0, o['STREAMS'])
def run(rows):
    b.n_tokens = len(rows)
    for i, (token, position, sequence, wanted) in enumerate(rows):
        b.token[i], b.pos[i], b.n_seq_id[i], b.logits[i] = token, position, 1, wanted
        b.seq_id[i][0] = sequence
    assert c.llama_decode(x, b) == 0
    c.llama_synchronize(x)
def prefill(s, n):
    c.llama_memory_seq_rm(mem, s, -1, -1)
    run([(1000 + i * 7919 % 40000, i, s, i == n - 1) for i in range(n)])
def rate(count, work, repeats):
    times = []
    for i in range(repeats + 1):
        t = time.perf_counter(); work(i); times.append(time.perf_counter() - t)
    return count / sorted(times[1:])[repeats // 2]
R, N, S, P = o['REPEATS'], o['STEPS'], o['STREAMS'], o['BEFORE']
out = [rate(128, lambda i: prefill(0, 128), R), rate(512, lambda i: prefill(0, 512), R)]
for s in range(S): prefill(s, P)
out.append(rate(1, lambda i: run([(1000 + i, P + i, 0, True)]), N))
prefill(0, P)
out.append(rate(S, lambda i: run([(1000 + i, P + i, s, True) for s in range(S)]), N))
print(json.dumps(out))
`

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    checkpoint: {
      type: 'string',
      default: fileURLToPath(new URL('../../checkpoints/smollm2-135m-instruct', import.meta.url)),
    },
    'node-llama-cpp': { type: 'string' },
    'llama-cpp-python': { type: 'string' },
    plain: { type: 'boolean', default: false },
    contender: { type: 'string' },
    engine: { type: 'string' },
  },
})
const threads = Number(options.threads)
const gguf = readdirSync(options.checkpoint).find((name) => name.endsWith('.gguf'))
if (!gguf) throw new Error(`${options.checkpoint} has no GGUF for the peers to read`)
const model = join(options.checkpoint, gguf)

if (options.contender === 'ours') await report(ours)
else if (options.contender === 'node-llama-cpp') await report(nodeLlamaCpp)
else await compare()

function tokens(count, offset = 0) {
  return Array.from({ length: count }, (_, i) => 1000 + (((offset + i) * 7919) % 40000))
}

async function report(contender) {
  console.log(JSON.stringify(await contender()))
  // What peers leave running is no matter.
  process.exit(0)
}

async function compare() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-llama-peers-'))
  try {
    await build(folder)
    const self = (contender) => [process.execPath, [process.argv[1], ...process.argv.slice(2), ...contender]]
    const contenders = { ours: self(['--contender', 'ours', '--engine', folder]) }
    if (options['node-llama-cpp']) contenders['node-llama-cpp'] = self(['--contender', 'node-llama-cpp'])
    else console.log('absent: node-llama-cpp (--node-llama-cpp <folder>)')
    if (options['llama-cpp-python'])
      contenders['llama.cpp, native'] = [
        options['llama-cpp-python'],
        [
          '-c',
          PYTHON,
          model,
          String(threads),
          JSON.stringify({ REPEATS, STEPS, STREAMS, BEFORE, plain: options.plain }),
        ],
      ]
    else console.log('absent: llama.cpp built natively (--llama-cpp-python <python>)')
    const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [name, [command, args]] of Object.entries(contenders)) {
        const output = execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' })
        results[name].push(JSON.parse(output.trim().split('\n').at(-1)))
      }
    for (const [i, measure] of measures.entries())
      for (const [name, rounds] of Object.entries(results)) {
        const rates = rounds.map((round) => Math.round(round[i]))
        console.log(
          `${measure.padEnd(12)} ${name.padEnd(18)} ${median(rates)} tokens/s  (${rates.join(', ')})`,
        )
      }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

/** Tokens a second of the median of some repetitions, after one that does not count. */
async function rate(count, work, repeats = REPEATS) {
  const times = []
  for (let i = 0; i <= repeats; i++) {
    const started = performance.now()
    await work(i)
    times.push(performance.now() - started)
  }
  return (1000 * count) / median(times.slice(1))
}

async function plan() {
  const { openCheckpoint } = await import('../../dist/checkpoint/checkpoint.js')
  const { planLlama } = await import('../../dist/models/llama/build.js')
  const { onCpu } = await import('../../dist/models/plan.js')
  const checkpoint = openCheckpoint(options.checkpoint)
  return { checkpoint, planned: planLlama(options.checkpoint, checkpoint, onCpu('int8')).graphs[0] }
}

async function build(folder) {
  const { checkpoint, planned } = await plan()
  planned.graph.write(folder)
  checkpoint[Symbol.dispose]()
  console.log(`ours: ${planned.graph.linear}, ${planned.graph.size} nodes`)
}

async function ours() {
  const { signatureOf } = await import('../../dist/models/plan.js')
  const { openSession } = await import('../../dist/runtime/onnxruntime.js')
  const { int64 } = await import('../../dist/runtime/session.js')
  const { checkpoint, planned } = await plan()
  checkpoint[Symbol.dispose]()
  const session = await openSession(options.engine, 'decoder', signatureOf(planned), { threads })
  const run = (slots, rows, past) => {
    const feeds = {
      tokens: int64(
        slots.flatMap((slot) => rows.map((token) => token + slot)),
        [slots.length, rows.length],
      ),
      past_length: int64(slots.map(() => past)),
      logit_rows: int64(slots.map((_, i) => (i + 1) * rows.length - 1)),
    }
    return session.run(
      feeds,
      slots.map((slot) => ({ slot, past })),
      ['logits'],
    )
  }
  const prefill = async (slot, count) => {
    for (let past = 0; past < count; past += 128)
      await run([slot], tokens(Math.min(128, count - past), past), past)
  }
  const slots = Array.from({ length: STREAMS }, (_, i) => i)
  for (const slot of slots) await prefill(slot, BEFORE)
  const [together] = session.together(slots)
  const decode = (list) => (i) => run(list, [i + 1], BEFORE + i)
  return [
    await rate(128, () => prefill(STREAMS, 128)),
    await rate(512, () => prefill(STREAMS, 512)),
    await rate(1, decode([0]), STEPS),
    await rate(STREAMS, decode(together), STEPS),
  ]
}

async function nodeLlamaCpp() {
  const require = createRequire(join(options['node-llama-cpp'], 'package.json'))
  const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')).href)
  const llama = await getLlama({ gpu: false, build: 'never' })
  const loaded = await llama.loadModel({ modelPath: model })
  const context = await loaded.createContext({
    contextSize: 1024,
    batchSize: 512,
    sequences: STREAMS,
    threads,
  })
  const sequences = Array.from({ length: STREAMS }, () => context.getSequence())
  const prefill = async (sequence, count) => {
    await sequence.clearHistory()
    await sequence.evaluateWithoutGeneratingNewTokens(tokens(count))
  }
  const write = async (sequence) => {
    let left = STEPS
    for await (const _ of sequence.evaluate([1000])) if (--left === 0) break
  }
  const rates = [
    await rate(128, () => prefill(sequences[0], 128)),
    await rate(512, () => prefill(sequences[0], 512)),
  ]
  for (const sequence of sequences) await prefill(sequence, BEFORE)
  rates.push(await rate(STEPS, () => write(sequences[0])))
  rates.push(await rate(STREAMS * STEPS, () => Promise.all(sequences.map(write))))
  return rates
}
