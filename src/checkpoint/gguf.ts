import { SetupError } from '../errors.js'
import type { BlockNumbers } from '../weight-numbers.js'
import { dequantise } from './dequantise.js'
import type { RangeFile } from './file.js'
import { plainWidths } from './floats.js'
import { type BlockStorage, blockFormats, isBlockStorage } from './gguf-blocks.js'
import { type GgufMetadata, readMetadata } from './gguf-metadata.js'
import { GgufReader } from './gguf-reader.js'
import { PlainTensor } from './plain.js'
import { type CheckpointTensor, elementCount } from './tensor.js'

const magic = 0x46554747 // 'GGUF', little endian
const version = 3
const mostDims = 4
/** Type numbers of ggml.h; only the names in `readable` are read. */
const typeNames = (
  'F32 F16 Q4_0 Q4_1 Q4_2 Q4_3 Q5_0 Q5_1 Q8_0 Q8_1 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ2_XXS IQ2_XS IQ3_XXS IQ1_S ' +
  'IQ4_NL IQ3_S IQ2_S IQ4_XS I8 I16 I32 I64 F64 IQ1_M BF16'
).split(' ')
const plainStorages = ['F32', 'F16', 'BF16'] as const
type GgufStorage = (typeof plainStorages)[number] | BlockStorage
const readable = [...plainStorages, ...(Object.keys(blockFormats) as BlockStorage[])]

interface Entry {
  readonly name: string
  readonly storage: GgufStorage
  readonly dims: readonly number[]
  /** Relative to the data section, and length, in bytes. */
  readonly begin: number
  readonly length: number
}

export interface GgufContent {
  readonly tensors: Map<string, CheckpointTensor>
  readonly metadata: GgufMetadata
}

/**
 * The tensors and metadata of a GGUF v3 file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), tensors as
 * they stand in the file: dims row-major, so the reverse of GGUF's order; rows of query and key matrices as
 * permuted there. Only the header is read here.
 * @throws SetupError naming the file, the tensor or key, and the fault.
 */
export function readGguf(file: RangeFile): GgufContent {
  const reader = new GgufReader(file)
  if (reader.u32() !== magic) throw file.damaged('does not begin with GGUF')
  const found = reader.u32()
  if (found !== version)
    throw new SetupError(
      `${file.path} is GGUF version ${found}, only ${version} (little endian) is supported`,
    )
  const tensorCount = reader.count(24, 'tensors')
  const keyCount = reader.count(13, 'metadata keys')
  const metadata = readMetadata(file, reader, keyCount)
  const alignment = readAlignment(file, metadata)
  const entries = Array.from({ length: tensorCount }, () => readEntry(file, reader))
  const dataStart = align(reader.position, alignment)
  checkNames(file, entries)
  checkLayout(file, entries, alignment, file.size - dataStart)

  const tensors = new Map<string, CheckpointTensor>()
  for (const { name, storage, dims, begin, length } of entries) {
    const range = { offset: dataStart + begin, length }
    const tensor = isBlockStorage(storage)
      ? new BlockTensor(file, name, storage, dims, range)
      : new PlainTensor(file, name, storage, dims, range)
    tensors.set(name, tensor)
  }
  return { tensors, metadata }
}

class BlockTensor implements CheckpointTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly storage: BlockStorage
  readonly #read: () => Uint8Array<ArrayBuffer>

  constructor(
    file: RangeFile,
    name: string,
    storage: BlockStorage,
    dims: readonly number[],
    range: { offset: number; length: number },
  ) {
    this.name = name
    this.storage = storage
    this.dims = dims
    this.#read = () => file.read(range.offset, range.length)
  }

  floats(): Float32Array {
    return dequantise(this.quantised())
  }

  quantised(): BlockNumbers {
    return blockFormats[this.storage].unpack(this.#read())
  }
}

function readAlignment(file: RangeFile, metadata: GgufMetadata): number {
  const value = metadata.get('general.alignment') ?? 32
  if (typeof value === 'number' && value >= 8 && value <= 1 << 20 && (value & (value - 1)) === 0) return value
  throw file.damaged(`has general.alignment ${String(value)}, which is not a power of two from 8 to 2^20`)
}

function readEntry(file: RangeFile, reader: GgufReader): Entry {
  const name = reader.name('tensor name')
  const rank = reader.u32()
  if (rank > mostDims) throw file.damaged(`gives tensor ${name} ${rank} dimensions, the limit is ${mostDims}`)
  const sizes = Array.from({ length: rank }, () => reader.u64())
  const type = reader.u32()
  const storage = readable.find((known) => known === typeNames[type])
  if (!storage)
    throw new SetupError(
      `${file.path} stores tensor ${name} as ${typeNames[type] ?? `type ${type}`}, which is not supported: use ${readable.join(', ')}`,
    )
  const begin = Number(reader.u64())
  const dims = sizes.map(Number).reverse()
  const shape = `${storage} [${dims.join(', ')}]`
  const columns = dims.at(-1) ?? 1
  const { weights, bytes } = isBlockStorage(storage)
    ? blockFormats[storage]
    : { weights: 1, bytes: plainWidths[storage] }
  if (columns % weights !== 0)
    throw file.damaged(`has tensor ${name}, ${shape}, with rows that are not whole blocks of ${weights}`)
  const count = elementCount(dims)
  const length = count === null ? Infinity : (count / weights) * bytes
  if (!Number.isSafeInteger(begin + length))
    throw file.damaged(`has tensor ${name}, ${shape} at ${begin}, larger than any file`)
  return { name, storage, dims, begin, length }
}

function checkNames(file: RangeFile, entries: readonly Entry[]): void {
  const seen = new Set<string>()
  for (const { name } of entries) {
    if (seen.has(name)) throw file.damaged(`has tensor ${name} twice`)
    seen.add(name)
  }
}

/** Tensors begin at multiples of the alignment and follow each other with no more than the padding between. */
function checkLayout(
  file: RangeFile,
  entries: readonly Entry[],
  alignment: number,
  dataLength: number,
): void {
  let expected = 0
  for (const { name, begin, length } of entries.toSorted(
    (a, b) => a.begin - b.begin || a.length - b.length,
  )) {
    if (begin % alignment !== 0)
      throw file.damaged(
        `has tensor ${name} at ${begin}, which is not a multiple of the alignment ${alignment}`,
      )
    if (begin + length > dataLength)
      throw file.damaged(
        `is truncated, tensor ${name} ends at byte ${begin + length} of the data, which have ${Math.max(dataLength, 0)}`,
      )
    if (begin > expected) throw file.damaged(`has a hole of ${begin - expected} bytes before tensor ${name}`)
    if (begin < expected) throw file.damaged(`has tensor ${name} at ${begin}, inside the one before`)
    expected = align(begin + length, alignment)
  }
  if (dataLength > expected) throw file.damaged(`has ${dataLength - expected} bytes after its last tensor`)
}

const align = (position: number, alignment: number): number => Math.ceil(position / alignment) * alignment
