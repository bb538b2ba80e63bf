/** One set-up at a time in a folder: a lock file that names its holder, who keeps touching it. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from './child.js'
import { readText } from './files.js'

/**
 * Waits for the lock and takes it. A lock is stale when its holder's process is gone, or (a holder on another
 * host or in another container cannot be asked) when nobody touched it for as long as `patience`.
 * @param {string} path of the lock file
 * @param {object} options times in milliseconds
 * @param {(holder: string) => void} [options.onWait] called once if another holds it
 * @param {() => void} [options.onLost] called if another took it over, after we did not touch it in time
 * @returns {Promise<() => void>} gives the lock back; may be called twice
 * @throws {Failure} if the folder cannot be written
 */
export async function acquire(path, { onWait, onLost, poll = 200, beat = 1000, patience = 15_000 }) {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), token: randomUUID() })
  let last = { text: undefined, touched: 0, since: 0 }
  let waiting = false
  while (!create(path, mine)) {
    const text = readText(path)
    const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (text === undefined || touched === undefined) continue // it was given back this very moment
    if (text !== last.text || touched !== last.touched) last = { text, touched, since: performance.now() }
    if (holderIsGone(text) || performance.now() - last.since > patience) {
      rmSync(path, { force: true })
      if (!create(path, mine)) continue
      // another who found it stale at the same time may have removed ours: the last one to create it has it
      await sleep(50)
      if (readText(path) === mine) break
      continue
    }
    if (!waiting) onWait?.(describe(text))
    waiting = true
    await sleep(poll)
  }

  const touch = setInterval(() => {
    if (readText(path) === mine) {
      const now = new Date()
      utimesSync(path, now, now)
    } else {
      clearInterval(touch)
      onLost?.()
    }
  }, beat).unref()

  return () => {
    clearInterval(touch)
    if (readText(path) === mine) rmSync(path, { force: true })
  }
}

/** @returns {boolean} whether the file was created by us just now */
function create(path, text) {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw new Failure(
      `the set-up cannot write ${path} (${error.code}): make the folder writable, or serve what is already built with node dist/main.js`,
    )
  }
}

/** The lock's content; a holder who has just created the file may not have written it yet. */
function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describe(text) {
  const holder = parse(text)
  return holder ? `process ${holder.pid} on ${holder.host}` : 'just starting'
}

function holderIsGone(text) {
  const holder = parse(text)
  if (holder?.host !== hostname()) return false
  // our own id: it was given to somebody else before us, as in a container that starts over
  if (holder.pid === process.pid) return true
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}
