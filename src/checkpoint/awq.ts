import { transposed } from '../weight-numbers.js'
import { type PackedParts, wordsOf } from './packed-parts.js'
import type { PackedMatrix } from './packed-weight.js'
import type { PlainTensor } from './plain.js'
import type { Packing } from './quantisation-config.js'

/** Which of eight neighbouring outputs each four bits of a word belong to, lowest bits first. */
const order = [0, 2, 4, 6, 1, 3, 5, 7]

/** AWQ's layout of version "gemm" (AutoAWQ: WQLinear_GEMM): words of `qweight` [K, N/8] and `qzeros` [groups, N/8]. */
export function awqMatrix(parts: PackedParts, packing: Packing & { method: 'awq' }): PackedMatrix {
  const qweight = parts.part('qweight', 'words', null)
  const [K, across] = qweight.dims as [number, number]
  const N = across * 8
  const scale = parts.part('scales', 'scales', null)
  const groups = scale.dims[0]!
  const { group } = parts.scheme(packing.schemes, [4], K, groups)
  parts.part('scales', 'scales', [groups, N])
  const qzeros = parts.part('qzeros', 'words', [groups, across])
  const zeros = () => outputs(qzeros)
  return {
    name: `${parts.module}.weight`,
    dims: [N, K],
    bits: 4,
    group,
    values: () => outputs(qweight),
    scale,
    scales: () => transposed(scale.floats(), groups, N),
    zeros: zeros().every((zero) => zero === 8) ? null : zeros,
  }
}

/** Words [rows, N/8] → [N, rows]. */
function outputs(tensor: PlainTensor): Uint8Array {
  const words = wordsOf(tensor)
  const [rows, across] = tensor.dims as [number, number]
  const values = new Uint8Array(words.length * 8)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < across; column++) {
      const word = words[row * across + column]!
      for (let i = 0; i < 8; i++) values[(column * 8 + order[i]!) * rows + row] = (word >>> (4 * i)) & 15
    }
  return values
}
