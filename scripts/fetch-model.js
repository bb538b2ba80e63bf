#!/usr/bin/env node
/** Puts a model among the checkpoints: the command line of dist/hub/fetch-model.js. */
import { constants as access, accessSync, existsSync, mkdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Failure } from './setup/child.js'
import { acquire } from './setup/lock.js'

const usage = `Usage: npm run fetch-model -- MODEL [options]

Puts a model among the checkpoints, from which npm start (or npm run build-engines) makes its engine. MODEL is
  owner/name               of the Hugging Face hub: safetensors with their description, else its one GGUF file
  owner/name:FILE.gguf     one of its GGUF files, or
  owner/name:Q4_K_M        the one with this quantisation in its name
  …@REVISION               a branch, tag or commit of it
  a folder                 of this machine, laid out as on the hub
  a GGUF file              of this machine
Files of this machine are linked, or copied where that is not possible. Downloads that were stopped go on where they
were; what is there already is not fetched again.

  --name NAME         the checkpoint's name     [made of the model's]
  --checkpoints DIR   where the checkpoints are [CHECKPOINTS, or checkpoints]
  --help              this text

HF_TOKEN is the token for models that are gated or private, HF_ENDPOINT another hub, HF_HUB_OFFLINE=1 asks nothing of
the network, HF_HOME is where the token file is; HTTPS_PROXY, HTTP_PROXY and NO_PROXY count.
`
const settingOf = { whisper: 'STT_MODEL', llama: 'CHAT_MODEL', kokoro: 'TTS_MODEL' }
const format = 'fetch: [{bar}] {percentage}% {done} of {all}, {speed}/s {file}'

class UsageError extends Error {}

const stopped = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopped.abort(signal))

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      checkpoints: { type: 'string', default: process.env.CHECKPOINTS },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) process.stdout.write(usage)
  else if (positionals.length !== 1)
    throw new UsageError('Name one model: npm run fetch-model -- owner/name (--help has the other forms).')
  else await fetchModel(positionals[0], values)
} catch (error) {
  complain(error)
}

function complain(error) {
  if (stopped.signal.aborted) {
    console.error('fetch: stopped; the same command goes on where it was')
    process.exitCode = 128 + constants.signals[stopped.signal.reason]
    return
  }
  const isSentence =
    [UsageError, Failure].some((kind) => error instanceof kind) ||
    error.name === 'SetupError' ||
    error.code?.startsWith('ERR_PARSE_ARGS')
  console.error(isSentence ? error.message : error)
  process.exitCode = 1
}

async function fetchModel(reference, { name, checkpoints: given }) {
  const dist = new URL('../dist/', import.meta.url)
  if (!existsSync(new URL('hub/fetch-model.js', dist)))
    throw new UsageError(
      'dist/hub/fetch-model.js is missing: compile with npm run build (npm start does it too)',
    )
  const { readConfig } = await import(new URL('config.js', dist).href)
  const { checkpoints } = readConfig({ CHECKPOINTS: given })
  const hub = await import(new URL('hub/fetch-model.js', dist).href)
  makeWritable(checkpoints)
  const release = await acquire(join(checkpoints, '.fetch.lock'), {
    onWait: (holder) => console.error(`fetch: waiting for another fetch (${holder})`),
    onLost: () => stopped.abort('SIGTERM'),
  })
  const display = process.stderr.isTTY ? await bar() : lines()
  try {
    const model = await hub.fetchModel(reference, {
      checkpoints,
      environment: process.env,
      signal: stopped.signal,
      onProgress: display.show,
      onWait: (reason, milliseconds) =>
        console.error(`fetch: ${reason}; trying again in ${Math.ceil(milliseconds / 1000)} s`),
      ...(name === undefined ? {} : { name }),
    })
    display.end()
    const near = relative('', model.folder)
    const where = near.startsWith('..') ? model.folder : near
    console.error(`fetch: ${where} ${model.fetched ? 'is there' : 'was there already'}`)
    console.error(
      `fetch: now run ${settingOf[model.family]}=${model.name} npm start, which builds its engine first`,
    )
  } finally {
    display.end()
    release()
  }
}

function makeWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, access.W_OK)
  } catch (cause) {
    throw new UsageError(
      `${folder} can not be written to (${cause.code}): set CHECKPOINTS to another folder.`,
    )
  }
}

function megabytes(bytes) {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}

/** On a terminal: one bar for all files that are known to be needed. */
async function bar() {
  const { SingleBar } = (await import('cli-progress')).default
  const begun = performance.now()
  let shown
  let first
  return {
    show({ file, done, total }) {
      first ??= done
      const speed = megabytes((1000 * (done - first)) / (performance.now() - begun + 1))
      const values = { file, done: megabytes(done), all: megabytes(total), speed }
      if (!shown) {
        // cli-progress must not catch signals: they stop the download in order
        shown = new SingleBar({ format, linewrap: true, gracefulExit: false })
        shown.start(total, done, values)
      }
      shown.setTotal(total)
      shown.update(done, values)
    },
    end() {
      shown?.stop()
      shown = undefined
    },
  }
}

/** Elsewhere: a line at every tenth. */
function lines() {
  let said = -1
  let all = 0
  return {
    show({ done, total }) {
      if (total !== all) said = -1
      all = total
      const tenth = Math.floor((10 * done) / Math.max(total, 1))
      if (tenth <= said) return
      said = tenth
      console.error(`fetch: ${megabytes(done)} of ${megabytes(total)}`)
    },
    end() {},
  }
}
