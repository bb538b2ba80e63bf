import { type PackedParts, wordsOf } from './packed-parts.js'
import type { PackedMatrix } from './packed-weight.js'
import type { PlainTensor } from './plain.js'
import type { Packing } from './quantisation-config.js'

/**
 * compressed-tensors' layout "pack-quantized": words of `weight_packed` [N, ⌈K·bits/32⌉] hold neighbours of a row,
 * those of `weight_zero_point` [⌈N·bits/32⌉, groups], which asymmetric weights have, neighbouring outputs, lowest bits
 * first; `weight_scale` [N, groups], `weight_shape` [2]. All numbers are stored with half of their range added.
 */
export function compressedMatrix(
  parts: PackedParts,
  packing: Packing & { method: 'compressed-tensors' },
): PackedMatrix {
  const packed = parts.part('weight_packed', 'words', null)
  const [N, words] = packed.dims as [number, number]
  const K = rowLength(parts, packed)
  const scale = parts.part('weight_scale', 'scales', null)
  const groups = scale.dims[1]!
  const fitting = [4, 8].filter((bits) => Math.ceil((K * bits) / 32) === words)
  const { bits, group } = parts.scheme(packing.schemes, fitting, K, groups)
  parts.part('weight_scale', 'scales', [N, groups])
  parts.checkGroupIndex('weight_g_idx', K, group)
  const zeroPoint = parts.has('weight_zero_point')
    ? parts.part('weight_zero_point', 'words', [Math.ceil((N * bits) / 32), groups])
    : null
  return {
    name: `${parts.module}.weight`,
    dims: [N, K],
    bits,
    group,
    values: () => rowNumbers(packed, bits, N, K),
    scale,
    scales: () => scale.floats(),
    zeros: zeroPoint && (() => columnNumbers(zeroPoint, bits, N, groups)),
  }
}

/** K of `weight_shape`, which has to be [N, K]. */
function rowLength(parts: PackedParts, packed: PlainTensor): number {
  const shape = parts.part('weight_shape', 'sizes', [2])
  const [rows, columns] = shape.floats() as unknown as [number, number]
  if (rows !== packed.dims[0] || !(columns > 0))
    throw shape.file.damaged(
      `has ${shape.name} [${rows}, ${columns}] for ${packed.name} [${packed.dims.join(', ')}]`,
    )
  return columns
}

/** Words [N, ⌈K·bits/32⌉] → [N, K]. */
function rowNumbers(tensor: PlainTensor, bits: 4 | 8, N: number, K: number): Uint8Array {
  const bytes = tensor.bytes()
  const width = tensor.dims[1]! * 4
  const values = new Uint8Array(N * K)
  for (let n = 0; n < N; n++)
    for (let k = 0; k < K; k++)
      values[n * K + k] =
        bits === 8 ? bytes[n * width + k]! : (bytes[n * width + (k >> 1)]! >> (4 * (k & 1))) & 15
  return values
}

/** Words [⌈N·bits/32⌉, groups] → [N, groups]. */
function columnNumbers(tensor: PlainTensor, bits: 4 | 8, N: number, groups: number): Uint8Array {
  const words = wordsOf(tensor)
  const perWord = 32 / bits
  const values = new Uint8Array(N * groups)
  for (let n = 0; n < N; n++)
    for (let g = 0; g < groups; g++) {
      const word = words[Math.floor(n / perWord) * groups + g]!
      values[n * groups + g] = (word >>> ((n % perWord) * bits)) & (2 ** bits - 1)
    }
  return values
}
