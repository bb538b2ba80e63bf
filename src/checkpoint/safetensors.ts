import { SetupError } from '../errors.js'
import { largestHeader, type RangeFile } from './file.js'
import { isPlainStorage, type PlainStorage, plainWidths } from './floats.js'
import { isObject, parseObject } from './json.js'
import { PlainTensor } from './plain.js'
import { elementCount } from './tensor.js'

export interface StoredTensors {
  readonly tensors: Map<string, PlainTensor>
  readonly metadata: Map<string, unknown>
}

interface Entry {
  readonly name: string
  readonly storage: PlainStorage
  readonly dims: readonly number[]
  /** Relative to the first byte after the header. */
  readonly begin: number
  readonly end: number
}

/**
 * The tensors of one safetensors file: u64 length n, n bytes of JSON, then the data without gaps
 * (https://github.com/huggingface/safetensors, "Format"). Only the header is read here.
 * @throws SetupError naming the file, the tensor and the fault.
 */
export function readSafetensors(file: RangeFile): StoredTensors {
  const { entries, metadata, dataStart } = readHeader(file)
  checkLayout(file, entries, file.size - dataStart)
  const tensors = new Map<string, PlainTensor>()
  for (const { name, storage, dims, begin, end } of entries) {
    const range = { offset: dataStart + begin, length: end - begin }
    tensors.set(name, new PlainTensor(file, name, storage, dims, range))
  }
  return { tensors, metadata }
}

function readHeader(file: RangeFile): {
  entries: Entry[]
  metadata: Map<string, unknown>
  dataStart: number
} {
  const length = new DataView(file.read(0, 8).buffer).getBigUint64(0, true)
  if (length > BigInt(largestHeader))
    throw file.damaged(`has a safetensors header of ${length} bytes, the limit is ${largestHeader}`)
  const bytes = file.read(8, Number(length))
  const header = parseObject(file, bytes, 'safetensors header')
  const metadata = new Map<string, unknown>()
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.push(entry(file, name, value))
    else if (isObject(value)) for (const [key, text] of Object.entries(value)) metadata.set(key, text)
    else throw file.damaged('has __metadata__ that is not an object')
  }
  return { entries, metadata, dataStart: 8 + bytes.length }
}

function entry(file: RangeFile, name: string, value: unknown): Entry {
  if (!isObject(value)) throw file.damaged(`describes tensor ${name} by something else than an object`)
  const { dtype: storage, shape: dims, data_offsets: offsets } = value
  if (typeof storage !== 'string') throw file.damaged(`gives tensor ${name} no dtype`)
  if (!isPlainStorage(storage))
    throw new SetupError(
      `${file.path} stores tensor ${name} as ${storage}, which is not supported: use ${Object.keys(plainWidths).join(', ')}`,
    )
  if (!isSizes(dims)) throw file.damaged(`gives tensor ${name} a shape that is not a list of sizes`)
  if (!isSizes(offsets) || offsets.length !== 2)
    throw file.damaged(`gives tensor ${name} data_offsets that are not two positions`)
  const [begin = 0, end = 0] = offsets
  return { name, storage, dims, begin, end }
}

/** Numbers beyond 2^53 are refused with the negative and the broken ones: no file is that long. */
const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)

/** Every byte of the data belongs to exactly one tensor, and each tensor has as many as its shape asks for. */
function checkLayout(file: RangeFile, entries: readonly Entry[], dataLength: number): void {
  let expected = 0
  for (const { name, storage, dims, begin, end } of entries.toSorted(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin > end) throw file.damaged(`has tensor ${name} end at ${end}, before its begin at ${begin}`)
    if (end > dataLength)
      throw file.damaged(
        `is truncated, tensor ${name} ends at byte ${end} of the data, which have ${dataLength}`,
      )
    if (begin > expected) throw file.damaged(`has a hole of ${begin - expected} bytes before tensor ${name}`)
    if (begin < expected)
      throw file.damaged(`has tensor ${name} overlap the one before by ${expected - begin} bytes`)
    const count = elementCount(dims)
    const bytes = count === null ? null : count * plainWidths[storage]
    if (bytes !== end - begin)
      throw file.damaged(
        `has ${end - begin} bytes for tensor ${name}, but ${storage} [${dims.join(', ')}] takes ${bytes ?? 'more than any file'}`,
      )
    expected = end
  }
  if (expected < dataLength) throw file.damaged(`has ${dataLength - expected} bytes after its last tensor`)
}
