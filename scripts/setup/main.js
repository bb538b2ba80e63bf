/** The steps of the set-up in their order, under one lock, with an orderly end on a signal. */
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure, run, stopChildren } from './child.js'
import { compile, service, staleProjects, tests } from './compile.js'
import { dependenciesAreFresh, install } from './dependencies.js'
import { acquire } from './lock.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const log = (line) => process.stderr.write(`set-up: ${line}\n`)

/** @param {string[]} args nothing, or `--for-tests` */
export async function main(args) {
  try {
    const unknown = args.find((arg) => arg !== '--for-tests')
    if (unknown) throw new Failure(`the set-up does not know ${unknown}: its only option is --for-tests`)
    await setUp(args.includes('--for-tests'))
  } catch (error) {
    if (stopping) return
    process.exitCode = 1
    if (!(error instanceof Failure)) throw error
    if (error.message) log(error.message)
  }
}

async function setUp(forTests) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  watchParent()
  // engines/ is the one folder that is always there, ignored by git, and never cleared by npm or tsc
  const release = await acquire(join(root, 'engines', '.setup.lock'), {
    onWait: (holder) => log(`waiting for another set-up of this folder (${holder})`),
    onLost: () => {
      log('stopped, because another set-up of this folder took over')
      stop('SIGTERM')
    },
  })
  process.on('exit', release)

  if (!dependenciesAreFresh(root)) {
    log('installing the dependencies with npm ci')
    await timed('dependencies', () => install(root))
  }
  const stale = staleProjects(root, forTests ? [service, tests] : [service])
  if (stale.length > 0) await timed('compilation', () => compile(root, stale))
  if (forTests) await timed('lint', lint)
  if (process.env.RUNTIME === 'tensorrt') await timed('addon', buildAddon)
  await timed('engines', buildEngines)
  release()
}

/** The only step that needs a compiler. What is missing beyond it, the engines' step says: library, driver, GPU. */
function buildAddon() {
  return run(process.execPath, [join(root, 'scripts', 'build-native.js')], { cwd: root, output: 'shown' })
}

function lint() {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  return run(process.execPath, [biome, 'check', '--error-on-warnings'], {
    cwd: root,
    fault: 'biome has the findings above (npm run format repairs what can be repaired)',
  })
}

/** In a process of its own: a conversion keeps its thread busy, and a signal has to stop it all the same. */
function buildEngines() {
  return run(process.execPath, [join(root, 'scripts', 'build-engines.js')], { cwd: root, output: 'shown' })
}

async function timed(step, work) {
  const start = performance.now()
  await work()
  log(`${step} ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

let stopping = false

/** Ends the children first, so that nothing writes into the folder once the lock is free. */
async function stop(signal) {
  if (stopping) return
  stopping = true
  await stopChildren()
  process.exit(128 + constants.signals[signal])
}

/**
 * A SIGTERM to npm alone ends npm and its shell, but a shell passes no signal on: without its parent, the
 * set-up has nobody to start the server for.
 */
function watchParent() {
  if (!process.env.npm_lifecycle_event) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) stop('SIGTERM')
  }, 250).unref()
}
