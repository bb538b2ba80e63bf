import { transposed } from '../weight-numbers.js'
import { type PackedParts, wordsOf } from './packed-parts.js'
import type { PackedMatrix } from './packed-weight.js'
import type { PlainTensor } from './plain.js'
import type { Packing } from './quantisation-config.js'

/**
 * GPTQ's layout (AutoGPTQ, GPTQModel: qlinear's pack): words of `qweight` [K·bits/32, N] hold neighbours of a column of
 * inputs, those of `qzeros` [groups, N·bits/32] neighbouring outputs, lowest bits first; `scales` [groups, N], `g_idx`
 * [K]. In version 1 one was taken from every zero point before packing, which adding it to whole words undoes.
 */
export function gptqMatrix(parts: PackedParts, packing: Packing & { method: 'gptq' }): PackedMatrix {
  const qweight = parts.part('qweight', 'words', null)
  const [words, N] = qweight.dims as [number, number]
  const scale = parts.part('scales', 'scales', null)
  const groups = scale.dims[0]!
  // The packing has one scheme, so the length of a row follows from it.
  const K = (words * 32) / packing.schemes[0]!.bits
  const { bits, group } = parts.scheme(packing.schemes, [4, 8], K, groups)
  parts.part('scales', 'scales', [groups, N])
  const qzeros = parts.part('qzeros', 'words', [groups, Math.ceil((N * bits) / 32)])
  parts.checkGroupIndex('g_idx', K, group)
  const one = packing.version === 1 ? (bits === 4 ? 0x11111111 : 0x01010101) : 0
  const zeros = () => columnNumbers(qzeros, one, bits, N, groups)
  return {
    name: `${parts.module}.weight`,
    dims: [N, K],
    bits,
    group,
    values: () => rowNumbers(qweight, bits, N, K),
    scale,
    scales: () => transposed(scale.floats(), groups, N),
    zeros: zeros().every((zero) => zero === 2 ** (bits - 1)) ? null : zeros,
  }
}

/** Words [K·bits/32, N] → [N, K]. */
function rowNumbers(tensor: PlainTensor, bits: number, N: number, K: number): Uint8Array {
  const words = wordsOf(tensor)
  const perWord = 32 / bits
  const mask = 2 ** bits - 1
  const values = new Uint8Array(N * K)
  for (let n = 0; n < N; n++)
    for (let k = 0; k < K; k += perWord) {
      const word = words[(k / perWord) * N + n]!
      for (let i = 0; i < perWord; i++) values[n * K + k + i] = (word >>> (i * bits)) & mask
    }
  return values
}

/** Words [groups, N·bits/32], each with `add` added, → [N, groups]. */
function columnNumbers(
  tensor: PlainTensor,
  add: number,
  bits: number,
  N: number,
  groups: number,
): Uint8Array {
  const words = wordsOf(tensor)
  const perWord = 32 / bits
  const mask = 2 ** bits - 1
  const across = tensor.dims[1]!
  const values = new Uint8Array(N * groups)
  for (let g = 0; g < groups; g++)
    for (let n = 0; n < N; n++) {
      const word = (words[g * across + Math.floor(n / perWord)]! + add) >>> 0
      values[n * groups + g] = (word >>> ((n % perWord) * bits)) & mask
    }
  return values
}
