import type { Graph, Value } from '../../../graph/graph.js'
import { cast, gather, mul } from '../../../graph/ops.js'
import { embedding } from '../../../graph/tables.js'

/**
 * Rows `ids` of the scope's table `name`: → [rows, width]. Beside layers in digits a table that the checkpoint has in
 * int8 stays so, a quarter of the size: only the rows asked for become float32.
 */
export function tokenEmbedding(g: Graph, name: string, ids: Value): Value {
  if (g.linear !== 'int8-digits') return embedding(g, name, ids)
  const table = g.tensor(`${name}.weight`)
  const numbers = table.quantised()
  const rowwise = numbers?.form === 'affine' && numbers.scale.length === table.dims[0] && !numbers.zeroPoint
  if (!rowwise || table.storage !== 'I8') return gather(g.weight(`${name}.weight`), ids)
  const full = g.at(`${name}.rows`)
  const rows = g.initializer(full, 'int8', table.dims, () => numbers.values)
  const scales = g.initializer(`${full}.scale`, 'float32', [table.dims[0]!, 1], () => numbers.scale)
  return mul(cast(gather(rows, ids), 'float32'), gather(scales, ids))
}
