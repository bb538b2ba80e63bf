import { crossAttention, toHeads } from '../../../graph/attention.js'
import { cachedAttention } from '../../../graph/cached-attention.js'
import { Graph, type GraphOptions, type Value } from '../../../graph/graph.js'
import { type KeptRows, keptRows, type Sight, sightOf } from '../../../graph/kept-rows.js'
import { linear } from '../../../graph/linear.js'
import { add, gather, range, reshape, split, squeeze, unsqueeze } from '../../../graph/ops.js'
import { tableProduct } from '../../../graph/tables.js'
import { tokensInput } from '../../../graph/transformer.js'
import { type Bindings, decoderState } from '../bindings.js'
import type { WhisperConfig } from '../config.js'
import { tokenEmbedding } from './embedding.js'
import { feedForward, input, layerNorm, type Observe, output, unobserved } from './layers.js'

/** Tokens that continue sequences to logits: they look at what the state kept of those before, and at the audio. */
export function decoderGraph(
  config: WhisperConfig,
  tensors: Bindings,
  options: GraphOptions,
  observe: Observe = unobserved,
): Graph {
  const g = new Graph('decoder', options)
  const names = tensors.decoder
  const { tokens, rows, batch } = tokensInput(g, names.tokens.name, tensors.batch)
  const pastLength = input(g, names.pastLength)
  const logitRows = input(g, names.logitRows)
  const layers = layerInputs(g, config, tensors)
  const sight = sightOf(pastLength, rows, layers[0]!.keys.past, { groups: 1 })

  g.scope('model.decoder', () => {
    const row = range(squeeze(rows, [0]))
    const positions = batch ? reshape(add(row, unsqueeze(pastLength, [1])), [-1]) : add(row, pastLength) // [B·rows]
    let x = add(
      tokenEmbedding(g, 'embed_tokens', tokens),
      gather(g.weight('embed_positions.weight'), positions),
    )
    for (const [i, layer] of layers.entries()) {
      x = g.scope(`layers.${i}`, () => {
        const y = selfAttention(x, layer, sight, config, batch)
        return feedForward(lookAtAudio(y, layer, config, batch))
      })
      observe(`layer${i}`, x)
    }
    const states = layerNorm(gather(x, logitRows), 'layer_norm') // [wanted, width]
    observe('states', states)
    // The head is the embedding's table.
    output(g, names.logits, g.cast(tableProduct(states, 'embed_tokens'), 'float32'))
  })
  return g
}

interface LayerInputs {
  readonly keys: KeptRows
  readonly values: KeptRows
  readonly crossKeys: Value
  readonly crossValues: Value
}

function layerInputs(g: Graph, config: WhisperConfig, { encoder }: Bindings): LayerInputs[] {
  const kept = decoderState(config).map((tensor) => keptRows(g, tensor, config.targetPositions))
  return Array.from({ length: config.decoderLayers }, (_, i) => ({
    keys: kept[2 * i]!,
    values: kept[2 * i + 1]!,
    crossKeys: input(g, encoder.crossKeys[i]!),
    crossValues: input(g, encoder.crossValues[i]!),
  }))
}

function selfAttention(
  x: Value,
  layer: LayerInputs,
  sight: Sight,
  config: WhisperConfig,
  batch?: Value,
): Value {
  const heads = config.decoderHeads
  const sizes = { heads, width: config.width / heads, batch }
  const normed = layerNorm(x, 'self_attn_layer_norm')
  return x.graph.scope('self_attn', () => {
    const all = toHeads(linear(normed, 'q_proj', 'k_proj', 'v_proj'), { ...sizes, heads: 3 * heads })
    const [q, k, v] = split(all, [heads, heads, heads], 1) as [Value, Value, Value] // [B, heads, rows, width]
    const { keys, values } = layer
    const past = { keys: keys.past, values: values.past }
    const seen = cachedAttention(q, k, v, { ...past, sight, ...sizes, kvHeads: heads })
    keys.keep(seen.keys)
    values.keep(seen.values)
    return add(x, linear(seen.mixed, 'out_proj'))
  })
}

/** x + attention of the text's rows to the window's positions. */
function lookAtAudio(x: Value, layer: LayerInputs, config: WhisperConfig, batch?: Value): Value {
  const heads = config.decoderHeads
  const normed = layerNorm(x, 'encoder_attn_layer_norm')
  return x.graph.scope('encoder_attn', () => {
    const sizes = { heads, width: config.width / heads, batch }
    const mixed = crossAttention(linear(normed, 'q_proj'), layer.crossKeys, layer.crossValues, sizes)
    return add(x, linear(mixed, 'out_proj'))
  })
}
