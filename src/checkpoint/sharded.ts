import { dirname, join } from 'node:path'
import { largestHeader, type RangeFile } from './file.js'
import { isObject, parseObject } from './json.js'
import type { PlainTensor } from './plain.js'
import { readSafetensors, type StoredTensors } from './safetensors.js'

/** Each shard takes a file descriptor. */
const mostShards = 500

/**
 * The tensors that an index (`*.safetensors.index.json`: `{metadata, weight_map: {tensor: shard}}`) spreads over the
 * files beside it. The index decides: what a shard holds beyond it is not part of the checkpoint.
 * @param open opens a shard by its path; whoever passes it closes the files
 * @throws SetupError naming the file, the tensor and the fault.
 */
export function readSharded(index: RangeFile, open: (path: string) => RangeFile): StoredTensors {
  if (index.size > largestHeader)
    throw index.damaged(`has ${index.size} bytes, the limit is ${largestHeader}`)
  const content = parseObject(index, index.read(0, index.size), 'shard index')
  const metadata = new Map<string, unknown>(
    isObject(content.metadata) ? Object.entries(content.metadata) : [],
  )
  const tensors = new Map<string, PlainTensor>()
  for (const [shard, names] of groupByShard(index, content.weight_map)) {
    const stored = readSafetensors(open(join(dirname(index.path), shard)))
    for (const [key, value] of stored.metadata) if (!metadata.has(key)) metadata.set(key, value)
    for (const name of names) {
      const tensor = stored.tensors.get(name)
      if (!tensor) throw index.damaged(`places tensor ${name} in ${shard}, which does not have it`)
      tensors.set(name, tensor)
    }
  }
  return { tensors, metadata }
}

function groupByShard(index: RangeFile, map: unknown): Map<string, string[]> {
  if (!isObject(map)) throw index.damaged('has no weight_map')
  const shards = new Map<string, string[]>()
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !isFileName(shard))
      throw index.damaged(
        `places tensor ${name} in ${JSON.stringify(shard)}, which is not the name of a file beside it`,
      )
    const names = shards.get(shard)
    if (names) names.push(name)
    else shards.set(shard, [name])
  }
  if (shards.size > mostShards) throw index.damaged(`names ${shards.size} shards, the limit is ${mostShards}`)
  return shards
}

/** A plain name: no way out of the folder on any platform. */
const isFileName = (name: string): boolean => /^[^/\\:\0]+\.safetensors$/.test(name)
