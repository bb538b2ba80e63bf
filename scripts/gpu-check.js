#!/usr/bin/env node
/**
 * Everything to run on the first GPU host, in order, into one report: the machine, the addon, the engines, the goldens
 * on the GPU, the speed, a soak of the whole service. docs/gpu-first-run.md says what each step must print.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `Usage: node scripts/gpu-check.js [options]

Settings of the service (RUNTIME, DEVICE, TENSORRT_LIBRARIES, PRECISION, SLOTS, ENGINES …) count here, too;
RUNTIME is tensorrt if not set.

  --steps A,B,…   of addon, machine, build, goldens, speed, soak   [all]
  --minutes N     how long the soak runs                    [10]
  --out DIR       where the report goes                     [gpu-report]
  --help          this text
`
const root = fileURLToPath(new URL('..', import.meta.url))
const script = (/** @type {string} */ name) => join(root, 'scripts', name)
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: 'addon,machine,build,goldens,speed,soak' },
    minutes: { type: 'string', default: '10' },
    out: { type: 'string', default: join(root, 'gpu-report') },
    help: { type: 'boolean', default: false },
  },
})
const runtime = process.env.RUNTIME ?? 'tensorrt'

/** @type {Record<string, { command: string[], needed: boolean }>} a step that is needed ends the run when it fails */
const steps = {
  addon: { command: [script('build-native.js')], needed: runtime === 'tensorrt' },
  machine: { command: [script('gpu-check/machine.js')], needed: runtime === 'tensorrt' },
  build: { command: [script('build-engines.js')], needed: true },
  goldens: { command: [mocha, 'dist-test/gpu/*.check.js'], needed: false },
  speed: { command: [script('gpu-check/speed.js')], needed: false },
  soak: { command: [script('gpu-check/soak.js'), values.minutes], needed: false },
}

/** Runs a step, showing and keeping what it prints. @param {string} name @param {string[]} command */
async function run(name, command) {
  console.log(`\n== ${name}`)
  const begun = performance.now()
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, RUNTIME: runtime },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const [from, to] of /** @type {const} */ ([
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]))
    from.setEncoding('utf8').on('data', (piece) => {
      text += piece
      to.write(piece)
    })
  const [code, signal] = await once(child, 'close')
  const seconds = (performance.now() - begun) / 1000
  const result = code === 0 ? 'passed' : `FAILED (${signal ?? `exit code ${code}`})`
  console.log(`== ${name} ${result} after ${seconds.toFixed(1)} s`)
  return { name, passed: code === 0, result, seconds, text }
}

if (values.help) process.stdout.write(usage)
else {
  const wanted = values.steps.split(',')
  const unknown = wanted.find((name) => !(name in steps))
  if (unknown !== undefined) {
    console.error(`there is no step ${unknown}: there are ${Object.keys(steps).join(', ')}`)
    process.exit(1)
  }
  const results = []
  for (const [name, { command, needed }] of Object.entries(steps)) {
    if (!wanted.includes(name)) continue
    const result = await run(name, command)
    results.push(result)
    if (needed && !result.passed) break
  }
  mkdirSync(values.out, { recursive: true })
  const path = join(values.out, 'report.md')
  const table = results.map(({ name, result, seconds }) => `| ${name} | ${result} | ${seconds.toFixed(1)} |`)
  const bodies = results.map(({ name, text }) => `## ${name}\n\n\`\`\`\n${text.trim()}\n\`\`\`\n`)
  writeFileSync(
    path,
    `# GPU check\n\n| step | result | seconds |\n| --- | --- | --: |\n${table.join('\n')}\n\n${bodies.join('\n')}`,
  )
  console.log(`\nreport: ${path}`)
  const missing = wanted.length - results.length
  if (missing > 0) console.log(`${missing} steps were not run, because one before them failed`)
  process.exitCode = results.every(({ passed }) => passed) && missing === 0 ? 0 : 1
}
