/** PL-BERT, an ALBERT: one layer's weights, used for every layer. Lan et al. 2020, https://arxiv.org/abs/1909.11942 */
import { selfAttention } from '../../../graph/attention.js'
import type { Value } from '../../../graph/graph.js'
import { add, gather, gelu, layerNormalization, shapeOf, slice } from '../../../graph/ops.js'
import type { KokoroConfig } from '../config.js'
import { dense } from './layers.js'

/** ids int64 [N] → [N, hidden]. */
export function albert(ids: Value, { albert: { hidden, heads, layers } }: KokoroConfig): Value {
  const g = ids.graph
  const norm = (x: Value, name: string): Value =>
    g.scope(name, () => layerNormalization(x, g.weight('weight'), g.weight('bias'), 1e-12))

  const embedded = g.scope('embeddings', () => {
    const words = gather(g.weight('word_embeddings.weight'), ids) // [N, 128]
    const positions = slice(g.weight('position_embeddings.weight'), 0, 0, shapeOf(ids))
    const firstType = slice(g.weight('token_type_embeddings.weight'), 0, 0, 1)
    return norm(add(add(words, firstType), positions), 'LayerNorm')
  })

  return g.scope('encoder', () => {
    let x = dense(embedded, 'embedding_hidden_mapping_in') // [N, hidden]
    g.scope('albert_layer_groups.0.albert_layers.0', () => {
      for (let layer = 0; layer < layers; layer++) {
        x = g.scope('attention', () => {
          const [q, k, v] = ['query', 'key', 'value'].map((name) => dense(x, name))
          const context = selfAttention(q!, k!, v!, { heads, width: hidden / heads })
          return norm(add(x, dense(context, 'dense')), 'LayerNorm')
        })
        const inner = gelu(dense(x, 'ffn'), 'tanh')
        x = norm(add(x, dense(inner, 'ffn_output')), 'full_layer_layer_norm')
      }
    })
    return x
  })
}
