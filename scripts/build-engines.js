#!/usr/bin/env node
/** Builds the engines from the checkpoints: the command line of dist/build.js. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

const usage = `Usage: npm run build-engines -- [options]

Converts checkpoints to engines; what is up to date stays as it is.

  --model NAME       only this model (a folder of the checkpoints); may be repeated; all if absent
  --runtime NAME     what the engines are for        [RUNTIME, or onnxruntime]
  --checkpoints DIR  where the checkpoints are       [CHECKPOINTS, or checkpoints]
  --engines DIR      where the engines go            [ENGINES, or engines]
  --help             this text
`

const format = 'engines: {model} [{bar}] {percentage}% {step}'

try {
  const options = readOptions()
  if (options.help) process.stdout.write(usage)
  else await build(options)
} catch (error) {
  const isSentence = error.name === 'SetupError' || error.code?.startsWith('ERR_PARSE_ARGS')
  console.error(isSentence ? error.message : error)
  process.exitCode = 1
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', multiple: true },
      runtime: { type: 'string', default: process.env.RUNTIME },
      checkpoints: { type: 'string', default: process.env.CHECKPOINTS },
      engines: { type: 'string', default: process.env.ENGINES },
      help: { type: 'boolean', default: false },
    },
  })
  return values
}

async function build(options) {
  const dist = new URL('../dist/', import.meta.url)
  if (!existsSync(new URL('build.js', dist))) {
    console.error('dist/build.js is missing: compile with npm run build (npm start does it too)')
    process.exitCode = 1
    return
  }
  const { readConfig } = await import(new URL('config.js', dist).href)
  const { buildEngines } = await import(new URL('build.js', dist).href)
  // the service's own reading of these three, so that it finds what is built here
  const { runtime, checkpoints, engines } = readConfig({
    RUNTIME: options.runtime,
    CHECKPOINTS: options.checkpoints,
    ENGINES: options.engines,
  })
  const display = process.stderr.isTTY ? await bars() : lines()
  try {
    const reports = await buildEngines({
      runtime,
      checkpoints,
      engines,
      ...(options.model ? { models: options.model } : {}),
      onProgress: display.show,
    })
    display.end()
    for (const report of reports) console.error(`engines: ${describe(report)}`)
  } finally {
    display.end()
  }
}

function describe({ model, status, seconds, bytes }) {
  if (status === 'up-to-date') return `${model} up to date`
  return `${model} built in ${seconds.toFixed(1)} s (${(bytes / 1e6).toFixed(0)} MB)`
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
    show({ model, step, done, total }) {
      if (step === 'up-to-date') return
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
    show({ model, step }) {
      if (step === 'up-to-date' || step === 'done' || stepOf.get(model) === step) return
      stepOf.set(model, step)
      console.error(`engines: ${model} ${step}`)
    },
    end() {},
  }
}
