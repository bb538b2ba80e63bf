import { fusedMatMul, multiHeadAttention } from '../../../graph/contrib.js'
import { Graph, type LinearForm, type Value, type WeightSource } from '../../../graph/graph.js'
import { linear, multiply } from '../../../graph/linear.js'
import {
  add,
  concat,
  expand,
  gather,
  less,
  lessOrEqual,
  matMul,
  range,
  reshape,
  shapeOf,
  softmax,
  split,
  squeeze,
  unsqueeze,
  where,
} from '../../../graph/ops.js'
import { type Bindings, bindings } from '../bindings.js'
import type { WhisperConfig } from '../config.js'
import { tokenEmbedding } from './embedding.js'
import {
  feedForward,
  fromHeads,
  input,
  layerNorm,
  type Observe,
  output,
  toHeads,
  unobserved,
} from './layers.js'

/** What all layers share: the sizes at run time, and which rows may look at which. */
interface Sight {
  /** Capacity of the state and number of new rows: int64 [2]. */
  readonly lengths: Value
  /** 0 or −∞ for every new row (down) and every state row, then new row (across): [rows, capacity + rows]. */
  readonly mask: Value
}

/**
 * Tokens that continue a sequence to logits. New rows attend to the state's rows and to each other apart, so that the
 * state is neither copied nor an output; the session appends the `fresh` rows.
 */
export function decoderGraph(
  config: WhisperConfig,
  weights: WeightSource,
  form: LinearForm,
  observe: Observe = unobserved,
): Graph {
  const g = new Graph('decoder', { weights, linear: form })
  const names = bindings(config).decoder
  const tokens = squeeze(input(g, names.tokens), [0]) // [rows]
  const pastLength = input(g, names.pastLength)
  const logitRows = input(g, names.logitRows)
  const layers = layerInputs(g, config)
  const rows = shapeOf(tokens)
  const sight = sightOf(layers[0]!.pastKeys, rows, pastLength)

  g.scope('model.decoder', () => {
    const positions = add(range(squeeze(rows, [0])), pastLength)
    let x = add(
      tokenEmbedding(g, 'embed_tokens', tokens),
      gather(g.weight('embed_positions.weight'), positions),
    )
    for (const [i, layer] of layers.entries()) {
      x = g.scope(`layers.${i}`, () => {
        const { y, keys, values } = selfAttention(x, layer, sight, config)
        output(g, names.freshKeys[i]!, keys)
        output(g, names.freshValues[i]!, values)
        return feedForward(crossAttention(y, layer, config))
      })
      observe(`layer${i}`, x)
    }
    const states = layerNorm(gather(x, logitRows), 'layer_norm') // [wanted, width]
    observe('states', states)
    // The head is the embedding's table.
    output(g, names.logits, multiply(states, [g.tensor('embed_tokens.weight')], g.at('head')))
  })
  return g
}

interface LayerInputs {
  readonly pastKeys: Value
  readonly pastValues: Value
  readonly crossKeys: Value
  readonly crossValues: Value
}

function layerInputs(g: Graph, config: WhisperConfig): LayerInputs[] {
  const { encoder, decoder }: Bindings = bindings(config)
  return Array.from({ length: config.decoderLayers }, (_, i) => ({
    pastKeys: input(g, decoder.pastKeys[i]!),
    pastValues: input(g, decoder.pastValues[i]!),
    crossKeys: input(g, encoder.crossKeys[i]!),
    crossValues: input(g, encoder.crossValues[i]!),
  }))
}

/** State rows count below the past length; a new row sees itself and the new ones before it. */
function sightOf(past: Value, rows: Value, pastLength: Value): Sight {
  const capacity = shapeOf(past, 2, 3)
  const newRow = range(squeeze(rows, [0]))
  const counts = expand(less(range(squeeze(capacity, [0])), pastLength), concat([rows, capacity], 0))
  const causal = lessOrEqual(unsqueeze(newRow, [0]), unsqueeze(newRow, [1]))
  const mask = where(concat([counts, causal], 1), past.graph.scalar('float32', 0), -Infinity)
  return { lengths: concat([capacity, rows], 0), mask }
}

function selfAttention(x: Value, layer: LayerInputs, sight: Sight, config: WhisperConfig) {
  const g = x.graph
  const heads = config.decoderHeads
  const width = config.width / heads
  const normed = layerNorm(x, 'self_attn_layer_norm')
  return g.scope('self_attn', () => {
    const all = toHeads(linear(normed, 'q_proj', 'k_proj', 'v_proj'), 3 * heads, width)
    const [q, keys, values] = split(all, [heads, heads, heads], 1) as [Value, Value, Value] // [1, heads, rows, width]
    const scale = { alpha: width ** -0.5, transB: true }
    const scores = concat([fusedMatMul(q, layer.pastKeys, scale), fusedMatMul(q, keys, scale)], 3)
    const shares = softmax(add(scores, sight.mask))
    const [toPast, toNew] = g.ops('Split', [shares, sight.lengths], ['float32', 'float32'], { axis: 3 })
    const mixed = add(matMul(toPast!, layer.pastValues), matMul(toNew!, values))
    return { y: add(x, linear(fromHeads(mixed, heads, width), 'out_proj')), keys, values }
  })
}

function crossAttention(x: Value, layer: LayerInputs, config: WhisperConfig): Value {
  const normed = layerNorm(x, 'encoder_attn_layer_norm')
  return x.graph.scope('encoder_attn', () => {
    const q = unsqueeze(linear(normed, 'q_proj'), [0]) // [1, rows, width]
    const mixed = multiHeadAttention(q, layer.crossKeys, layer.crossValues, config.decoderHeads)
    return add(x, linear(reshape(mixed, [-1, config.width]), 'out_proj'))
  })
}
