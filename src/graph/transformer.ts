/**
 * Parts of transformers that each runtime has its own operators for: rows of sequences, RMS norms, rotary positions,
 * SiLU. Letters as in attention.ts.
 */

import * as contrib from './contrib.js'
import type { Graph, Value } from './graph.js'
import { rowPositions } from './kept-rows.js'
import {
  add,
  mul,
  reshape,
  rmsNormalization,
  rotaryEmbedding,
  shapeOf,
  sigmoid,
  squeeze,
  tanh,
} from './ops.js'

/** Sequences whose new rows one run computes, one after another in [B·S, …]. */
export interface Sequences {
  /** int64 [B·S]: the tokens. */
  readonly tokens: Value
  /** int64 [1]: S. */
  readonly rows: Value
  /** int64 [1]: B, where there may be several; a single one if absent. */
  readonly batch: Value | undefined
}

/** Makes the input int64 [batch, rows] of tokens; `batch` is 1 where a run has one sequence always. */
export function tokensInput(g: Graph, name: string, batch: 1 | 'batch'): Sequences {
  const tokens = g.input(name, 'int64', [batch, 'rows'])
  if (batch === 1) {
    const ids = squeeze(tokens, [0])
    return { tokens: ids, rows: shapeOf(ids), batch: undefined }
  }
  return { tokens: reshape(tokens, [-1]), rows: shapeOf(tokens, 1, 2), batch: shapeOf(tokens, 0, 1) }
}

/** x / √(mean(x²) + epsilon) · scale over the last axis. */
export function rmsNorm(x: Value, scale: Value, epsilon: number): Value {
  const onnxRuntime = x.graph.target === 'onnxruntime'
  return (onnxRuntime ? contrib.simplifiedLayerNormalization : rmsNormalization)(x, scale, epsilon)
}

/** The RMS norm of x + branch, and the sum itself. */
export function rmsNormOfSum(
  x: Value,
  branch: Value,
  scale: Value,
  epsilon: number,
): { normed: Value; sum: Value } {
  if (x.graph.target === 'tensorrt') {
    const sum = add(x, branch)
    return { normed: rmsNormalization(sum, scale, epsilon), sum }
  }
  const [normed, sum] = contrib.skipSimplifiedLayerNormalization(x, branch, scale, epsilon)
  return { normed, sum }
}

/** x · sigmoid(x) */
export const silu = (x: Value): Value =>
  x.graph.target === 'onnxruntime' ? contrib.quickGelu(x, 1) : mul(x, sigmoid(x))

/** Where rows stand, and how heads are turned there. */
export interface RotaryPositions {
  /** int64 [B, S] */
  readonly positions: Value
  /** [positions, width / 2] in the graph's float type. */
  readonly cos: Value
  readonly sin: Value
  /** Numbers of each head that are turned, the first of it; all if absent. */
  readonly width?: number | undefined
}

/**
 * @param pastLength int64 [B]: the position of the first new row of each sequence
 * @param rows int64 [1]: S
 * @param table makes cosines or sines, [positions, width / 2]
 * @param width numbers of each head that are turned, where these are not all
 */
export function rotaryPositions(
  pastLength: Value,
  rows: Value,
  {
    dims,
    table,
    width,
  }: { dims: readonly number[]; table: (kind: 'cos' | 'sin') => Float32Array; width?: number | undefined },
): RotaryPositions {
  const g = pastLength.graph
  const constant = (kind: 'cos' | 'sin') => g.initializer(`rope.${kind}`, g.float, dims, () => table(kind))
  return { positions: rowPositions(pastLength, rows), cos: constant('cos'), sin: constant('sin'), width }
}

/** x [B, heads, S, d] with element i of each head turned against i + width / 2, as its row's position wants it. */
export const rotated = (x: Value, { positions, cos, sin, width }: RotaryPositions, heads: number): Value =>
  x.graph.target === 'onnxruntime'
    ? contrib.rotaryEmbedding(x, positions, cos, sin, { heads, width })
    : rotaryEmbedding(x, cos, sin, positions, { width })

/** cap · tanh(x / cap): x where it is small, and never beyond ±cap. */
export const softCapped = (x: Value, cap: number): Value => mul(tanh(mul(x, 1 / cap)), cap)
