import assert from 'node:assert/strict'
import { type Checkpoint, openCheckpoint } from '#src/checkpoint/checkpoint.js'
import type { CheckpointTensor } from '#src/checkpoint/tensor.js'
import { parseLlamaConfig } from '#src/models/llama/config.js'
import { withHuggingFaceNames } from '#src/models/llama/weights.js'
import type { Quantised } from '#src/weight-numbers.js'
import { smollm2 } from './engine.js'
import { miniature } from './tiny.js'

// Four query heads of 16 rows over two key heads; rows of one block of 32 that carry their number.
const config = parseLlamaConfig(miniature('Qwen 2').config, 'config.json')
const numbered = (name: string, rows: number): CheckpointTensor => ({
  name,
  dims: [rows, 32],
  storage: 'Q4_1',
  floats: () => Float32Array.from({ length: rows * 32 }, (_, i) => Math.floor(i / 32)),
  quantised: (): Quantised => ({
    form: 'blocks',
    blockSize: 32,
    bits: 4,
    values: Uint8Array.from({ length: rows * 32 }, (_, i) => Math.floor(i / 32)),
    scale: Float32Array.from({ length: rows }, (_, i) => i),
    min: Float32Array.from({ length: rows }, (_, i) => -i),
    zero: null,
  }),
})

function gguf(architecture: string, ...more: string[]): Checkpoint {
  const tensors = new Map(
    [
      numbered('blk.11.attn_q.weight', 64),
      numbered('blk.0.attn_k.weight', 32),
      numbered('blk.0.attn_v.weight', 32),
      numbered('token_embd.weight', 8),
      numbered('rope_freqs.weight', 1),
      ...more.map((name) => numbered(name, 1)),
    ].map((tensor) => [tensor.name, tensor]),
  )
  return {
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    tensor: (name) => tensors.get(name)!,
    metadata: new Map([['general.architecture', architecture]]),
    [Symbol.dispose]: () => undefined,
  }
}

const query = 'model.layers.11.self_attn.q_proj.weight'
const rowsOf = (values: ArrayLike<number>) =>
  Array.from({ length: values.length / 32 }, (_, i) => values[i * 32])
/** The card's rule: hf_row[16h + 8j + i] = gguf_row[16h + 2i + j]. */
const halfSplit = (rows: number) =>
  Array.from({ length: rows }, (_, row) => {
    const [head, j, i] = [Math.floor(row / 16), Math.floor((row % 16) / 8), row % 8]
    return 16 * head + 2 * i + j
  })

describe('models/llama/weights', () => {
  it('refuses two tensors that would have one name', () => {
    assert.throws(() => withHuggingFaceNames(gguf('llama', query), config), {
      name: 'SetupError',
      message: /blk\.11\.attn_q\.weight and model\.layers\.11\.self_attn\.q_proj\.weight/,
    })
  })

  it('gives GGUF tensors the names of Hugging Face', () => {
    const view = withHuggingFaceNames(gguf('llama'), config)
    assert.deepEqual(view.names, [
      query,
      'model.layers.0.self_attn.k_proj.weight',
      'model.layers.0.self_attn.v_proj.weight',
      'model.embed_tokens.weight',
      'rope_freqs.weight',
    ])
    assert.ok(view.has(query))
    assert.ok(!view.has('blk.11.attn_q.weight'))
  })

  it('orders the rows of queries and keys for half-split rotation, as floats and as blocks', () => {
    const view = withHuggingFaceNames(gguf('llama'), config)
    for (const [name, rows] of [
      [query, 64],
      ['model.layers.0.self_attn.k_proj.weight', 32],
    ] as const) {
      const tensor = view.tensor(name)
      assert.deepEqual(rowsOf(tensor.floats()), halfSplit(rows))
      const blocks = tensor.quantised()
      assert.ok(blocks?.form === 'blocks')
      assert.deepEqual(rowsOf(blocks.values), halfSplit(rows))
      assert.deepEqual([...blocks.scale], halfSplit(rows))
      assert.deepEqual(
        blocks.min && [...blocks.min],
        halfSplit(rows).map((row) => -row),
      )
    }
    const untouched = Array.from({ length: 32 }, (_, i) => i)
    assert.deepEqual(rowsOf(view.tensor('model.layers.0.self_attn.v_proj.weight').floats()), untouched)
  })

  it("leaves Qwen's rows as they are", () => {
    const view = withHuggingFaceNames(gguf('qwen2'), config)
    assert.deepEqual(
      rowsOf(view.tensor(query).floats()),
      Array.from({ length: 64 }, (_, i) => i),
    )
  })

  it('names every tensor of the embedded checkpoint', () => {
    using weights = openCheckpoint(smollm2)
    const view = withHuggingFaceNames(weights, config)
    assert.equal(view.names.length, 272)
    assert.deepEqual(
      view.names.filter((name) => !/^model\.(layers\.\d+|embed_tokens|norm)\./.test(name)),
      [],
    )
  })
})
