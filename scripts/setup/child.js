/** Runs the set-up's programs, each in a process group of its own so that it ends with all it started. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A reason to stop, said in one sentence without a stack; an empty one when a child has said it already. */
export class Failure extends Error {}

const ownGroup = process.platform !== 'win32'
const running = new Set()

/**
 * Runs a program to its end, without input.
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {'kept' | 'shown'} [options.output] kept: shown only when the program fails
 * @param {string} [options.fault] the sentence for a failure; none if the program says it itself
 * @param {string} [options.missing] the sentence if there is no such program
 * @param {boolean} [options.shell]
 * @throws {Failure} unless the program ends with 0
 */
export async function run(command, args, { cwd, output = 'kept', fault = '', missing, shell = false }) {
  const stdio = output === 'kept' ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit']
  const child = spawn(command, args, { cwd, stdio, shell, detached: ownGroup })
  const chunks = []
  child.stdout?.on('data', (chunk) => chunks.push(chunk))
  child.stderr?.on('data', (chunk) => chunks.push(chunk))
  running.add(child)
  try {
    const [code] = await once(child, 'close')
    if (code === 0) return
    process.stderr.write(Buffer.concat(chunks))
    throw new Failure(fault)
  } catch (error) {
    if (error.code === 'ENOENT' && missing) throw new Failure(missing)
    throw error
  } finally {
    running.delete(child)
  }
}

/** Ends what runs, politely at first, and waits for it. */
export async function stopChildren() {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, 'close')
      kill(child, 'SIGTERM')
      const impatience = setTimeout(() => kill(child, 'SIGKILL'), 3000)
      await closed
      clearTimeout(impatience)
    }),
  )
}

function kill(child, signal) {
  if (child.pid === undefined) return
  try {
    if (ownGroup) process.kill(-child.pid, signal)
    else child.kill(signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
