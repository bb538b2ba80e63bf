#!/usr/bin/env node
/**
 * How fast the language model reads and writes beside its peers: same checkpoint, same threads, in turns.
 *   node scripts/bench/llama-peers.js [--rounds 3] [--threads 2] [--checkpoint checkpoints/smollm2-135m-instruct]
 *     [--node-llama-cpp <folder whose node_modules has it>] [--llama-cpp-python <python that has llama_cpp>] [--plain]
 * llama.cpp for this very processor:
 *   CXXFLAGS="-fno-tree-dse -fno-dse" CMAKE_ARGS=-DGGML_NATIVE=ON \
 *     pip install --no-binary llama-cpp-python llama-cpp-python
 * Without the flags GCC (12.2 here) leaves out most of the stores to the configuration of AMX's tiles, of which its
 * _tile_loadconfig names only 8 bytes as read: the first prompt then ends in a segmentation fault.
 * GLIBC_TUNABLES=glibc.malloc.hugetlb=1, which npm start sets, holds for all of them.
 * Every round starts each contender anew; contenders/ says how each is run. --plain keeps llama.cpp from repacking
 * weights, for AMX among others.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '../../dist/checkpoint/checkpoint.js'
import { planLlama } from '../../dist/models/llama/build.js'
import { onCpu } from '../../dist/models/plan.js'
import { program } from './contenders/llama-cpp-python.js'
import { measures, median, workload } from './contenders/workload.js'

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
  },
})
const threads = Number(options.threads)
const gguf = readdirSync(options.checkpoint).find((name) => name.endsWith('.gguf'))
if (!gguf) throw new Error(`${options.checkpoint} has no GGUF for the peers to read`)
const model = join(options.checkpoint, gguf)
const engine = mkdtempSync(join(tmpdir(), 'bench-llama-peers-'))
try {
  build()
  compare()
} finally {
  rmSync(engine, { recursive: true })
}

function build() {
  const checkpoint = openCheckpoint(options.checkpoint)
  const { graph } = planLlama(options.checkpoint, checkpoint, onCpu('int8')).graphs[0]
  graph.write(engine)
  checkpoint[Symbol.dispose]()
  console.log(`ours: ${graph.linear}, ${graph.size} nodes`)
}

function compare() {
  const contenders = commands()
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, [command, ...args]] of Object.entries(contenders)) {
      const output = execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' })
      results[name].push(JSON.parse(output.trim().split('\n').at(-1)))
    }
  for (const [i, { name: measure, unit }] of measures.entries())
    for (const [name, rounds] of Object.entries(results)) {
      const numbers = rounds.map((round) => Math.round(round[i]))
      console.log(
        `${measure.padEnd(28)} ${name.padEnd(18)} ${median(numbers)} ${unit}  (${numbers.join(', ')})`,
      )
    }
}

/** How each contender that is there is started. */
function commands() {
  const { checkpoint, 'node-llama-cpp': folder, 'llama-cpp-python': python, plain } = options
  const script = (name, settings) => [
    process.execPath,
    fileURLToPath(new URL(`contenders/${name}.js`, import.meta.url)),
    JSON.stringify({ threads, ...settings }),
  ]
  const contenders = { ours: script('ours', { engine, checkpoint }) }
  if (folder) contenders['node-llama-cpp'] = script('node-llama-cpp', { folder, model })
  else console.log('absent: node-llama-cpp (--node-llama-cpp <folder>)')
  if (python)
    contenders['llama.cpp, native'] = [
      python,
      '-c',
      program,
      model,
      String(threads),
      JSON.stringify({ ...workload, plain }),
    ]
  else console.log('absent: llama.cpp built natively (--llama-cpp-python <python>)')
  return contenders
}
