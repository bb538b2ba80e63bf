/** Arrays of pinned buffers that are transferred, or are still in use when their buffer is collected. */
import { countsFile, livingObjects } from '../child.js'
import { openNative } from '../native.js'
import { answer } from './answer.js'
import { collect } from './collect.js'

const counts = countsFile()
process.env.FAKE_COUNTS = counts
const native = await openNative()
const pinnedBuffers = () => livingObjects(counts).hostMemory ?? 0

function transfer(): number[] {
  const pinned = new native.PinnedBuffer(2)
  new Uint8Array(pinned.array).fill(7)
  const moved = structuredClone(pinned.array, { transfer: [pinned.array] })
  pinned.dispose()
  return [...new Uint8Array(moved)]
}
const transferred = transfer()

function onlyItsArray(): Uint8Array {
  const array = new Uint8Array(new native.PinnedBuffer(3).array)
  array.set([1, 2, 3])
  return array
}
let array: Uint8Array | null = onlyItsArray()
await collect()
const kept = [...array]
const living = pinnedBuffers()
array = null
await collect()
answer({ transferred, kept, living, afterwards: pinnedBuffers() })
