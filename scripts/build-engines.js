#!/usr/bin/env node
/** Builds the engines from the checkpoints: the command line of dist/build.js. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

const usage = `Usage: npm run build-engines -- [options]

Converts checkpoints to engines; what is up to date stays as it is. For the runtime tensorrt the GPU that is to run
them compiles them, which takes minutes; Ctrl-C ends that and leaves what was there before.

  --model NAME       only this model (a folder of the checkpoints); may be repeated; all if absent
  --runtime NAME     what the engines are for        [RUNTIME, or onnxruntime]
  --precision NAME   how they compute                [PRECISION, or int8 on onnxruntime, float16 on tensorrt]
  --checkpoints DIR  where the checkpoints are       [CHECKPOINTS, or checkpoints]
  --engines DIR      where the engines go            [ENGINES, or engines]
  --dry-run          only write the graphs, as .onnx files with their data and a profiles.json per model; needs
                     neither a GPU nor TensorRT
  --out DIR          where a dry run writes them: DIR/<model>/
  --help             this text

SLOTS, KV_MEMORY, DEVICE and TENSORRT_LIBRARIES count for tensorrt as they do for the service.
`

const format = 'engines: {model} [{bar}] {percentage}% {step}'

class UsageError extends Error {}

try {
  const options = readOptions()
  if (options.help) process.stdout.write(usage)
  else await build(options)
} catch (error) {
  // ends as a program does that does not listen to the signal
  if (error.name === 'Interrupted') process.kill(process.pid, error.signal)
  else complain(error)
}

function complain(error) {
  const isSentence =
    error instanceof UsageError || error.name === 'SetupError' || error.code?.startsWith('ERR_PARSE_ARGS')
  console.error(isSentence ? error.message : error)
  process.exitCode = 1
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', multiple: true },
      runtime: { type: 'string', default: process.env.RUNTIME },
      precision: { type: 'string', default: process.env.PRECISION },
      checkpoints: { type: 'string', default: process.env.CHECKPOINTS },
      engines: { type: 'string', default: process.env.ENGINES },
      'dry-run': { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values['dry-run'] !== (values.out !== undefined))
    throw new UsageError(
      '--dry-run and --out DIR go together: a dry run writes its files to DIR and nowhere else.',
    )
  return values
}

async function build(options) {
  const dist = new URL('../dist/', import.meta.url)
  if (!existsSync(new URL('build.js', dist)))
    throw new UsageError('dist/build.js is missing: compile with npm run build (npm start does it too)')
  const { readConfig } = await import(new URL('config.js', dist).href)
  // the service's own reading of what shapes an engine, so that it finds what is built here
  const config = readConfig({
    RUNTIME: options.runtime,
    PRECISION: options.precision,
    CHECKPOINTS: options.checkpoints,
    ENGINES: options.engines,
    SLOTS: process.env.SLOTS,
    KV_MEMORY: process.env.KV_MEMORY,
    DEVICE: process.env.DEVICE,
    TENSORRT_LIBRARIES: process.env.TENSORRT_LIBRARIES,
  })
  const { runtime, precision, checkpoints, engines, slots, device } = config
  const display = process.stderr.isTTY ? await bars() : lines()
  const settings = {
    runtime,
    precision,
    slots,
    stateBytes: config.kvMemory,
    device,
    libraries: config.tensorrtLibraries,
    checkpoints,
    ...(options.model ? { models: options.model } : {}),
    onProgress: display.show,
  }
  try {
    let said
    if (options['dry-run']) {
      const { writeGraphs } = await import(new URL('build/dry-run.js', dist).href)
      said = writeGraphs({ ...settings, out: options.out }).map(
        ({ model, bytes }) => `${model} written to ${options.out}/${model} (${megabytes(bytes)})`,
      )
    } else {
      const { buildEngines } = await import(new URL('build.js', dist).href)
      said = (await buildEngines({ ...settings, engines })).map(describe)
    }
    display.end()
    for (const line of said) console.error(`engines: ${line}`)
  } finally {
    display.end()
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function describe({ model, status, seconds, bytes }) {
  if (status === 'up-to-date') return `${model} up to date`
  return `${model} built in ${seconds.toFixed(1)} s (${megabytes(bytes)})`
}

function named({ step, graph }) {
  return graph === undefined ? step : `${step} ${graph}`
}

/** On a terminal: a bar per model that has something to do, one after the other. */
async function bars() {
  const { SingleBar } = (await import('cli-progress')).default
  let bar
  let shown
  const end = () => {
    bar?.stop()
    bar = undefined
  }
  return {
    show({ model, done, total, ...event }) {
      if (event.step === 'up-to-date') return
      const step = named(event)
      if (model !== shown) {
        end()
        // cli-progress must neither catch signals nor switch terminal modes: a signal ends a conversion at once
        bar = new SingleBar({ format, linewrap: true, gracefulExit: false, forceRedraw: true })
        bar.start(total, done, { model, step })
        shown = model
      }
      bar?.setTotal(total)
      bar?.update(done, { step })
    },
    end,
  }
}

/** Elsewhere: a line per step of a model. */
function lines() {
  const stepOf = new Map()
  return {
    show({ model, ...event }) {
      const step = named(event)
      if (step === 'up-to-date' || step === 'done' || stepOf.get(model) === step) return
      stepOf.set(model, step)
      console.error(`engines: ${model} ${step}`)
    },
    end() {},
  }
}
