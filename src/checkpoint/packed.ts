import { awqMatrix } from './awq.js'
import { compressedMatrix } from './compressed-tensors.js'
import { gptqMatrix } from './gptq.js'
import { PackedParts } from './packed-parts.js'
import { type PackedMatrix, PackedWeight } from './packed-weight.js'
import type { PlainTensor } from './plain.js'
import { type Packing, readPacking } from './quantisation-config.js'
import type { CheckpointTensor } from './tensor.js'

/**
 * Joins the parts of every weight that is packed into integers into one tensor `<module>.weight` [N, K]. Zero points
 * and the order of columns are read here, since what a weight can be used for follows from them; the numbers are when
 * asked. AutoGPTQ wrote biases of zeros for modules without: they are left out.
 * @param stored all tensors of the checkpoint
 * @param folder that of its config.json
 * @returns those that are no parts, and the weights made of those that are
 * @throws SetupError naming the setting, or the tensor and the fault
 */
export function foldPacked(
  stored: ReadonlyMap<string, PlainTensor>,
  folder: string,
): { plain: ReadonlyMap<string, PlainTensor>; packed: readonly CheckpointTensor[] } {
  const packing = readPacking(folder)
  const plain = new Map(stored)
  const packed: PackedWeight[] = []
  for (const tensor of stored.values()) {
    const module = moduleOf(tensor.name)
    if (module === null) continue
    if (!packing)
      throw tensor.file.unsupported(
        `has ${tensor.name}, of a weight packed into integers`,
        `put the config.json beside it whose quantization_config says how`,
      )
    const parts = new PackedParts(module, stored)
    const weight = new PackedWeight(matrixOf(parts, packing))
    if (stored.has(weight.name)) throw tensor.file.damaged(`has both ${tensor.name} and ${weight.name}`)
    packed.push(weight)
    for (const name of parts.taken) plain.delete(name)
    const bias = plain.get(`${module}.bias`)
    if (packing.method === 'gptq' && bias?.floats().every((value) => value === 0)) plain.delete(bias.name)
  }
  return { plain, packed }
}

function moduleOf(name: string): string | null {
  return /^(.+)\.(qweight|weight_packed)$/.exec(name)?.[1] ?? null
}

function matrixOf(parts: PackedParts, packing: Packing): PackedMatrix {
  switch (packing.method) {
    case 'compressed-tensors':
      return compressedMatrix(parts, packing)
    case 'gptq':
      return gptqMatrix(parts, packing)
    case 'awq':
      return awqMatrix(parts, packing)
  }
}
