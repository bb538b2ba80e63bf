/** Weights that safetensors hold packed into integers, against the reference's values, and files that are not so. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { root } from '../root.js'
import { checkBlocks } from './blocks.js'
import { f32, packed, temporaryFolder } from './writers.js'

type Json = Readonly<Record<string, unknown>>
interface Case {
  name: string
  config: Json
  dims: [number, number]
  tensors: Record<string, { dtype: string; shape: number[]; data: string }>
  floats: string
}
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(join(root, 'test', 'golden', 'checkpoint', 'packed.json'), 'utf8'),
)
type Tensors = Record<string, [dtype: string, shape: number[], bytes: Buffer]>
const tensorsOf = ({ tensors }: Case): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      [dtype, shape, Buffer.from(data, 'base64')],
    ]),
  )
const named = (name: string): Case => cases.find((found) => found.name === name)!
const gptq = named('gptq 4 bits 128')
const awq = named('awq 64')
const compressed = named('compressed-tensors 4 bits asymmetric group 32')

/** What each storage must be called: signed numbers have no zero points. */
const storages: Record<string, string> = {
  'compressed-tensors 4 bits symmetric group 128': 'I4/128',
  'compressed-tensors 4 bits asymmetric group 32': 'U4/32',
  'compressed-tensors 4 bits symmetric channel': 'I4/128',
  'compressed-tensors 4 bits asymmetric channel': 'U4/128',
  'compressed-tensors 8 bits symmetric group 64': 'I8/64',
  'compressed-tensors 8 bits asymmetric group 128': 'U8/128',
  'awq 32': 'U4/32',
  'awq 64': 'U4/64',
  'awq 128': 'U4/128',
  'gptq 4 bits 128': 'U4/128',
  'gptq 4 bits 32 symmetric': 'I4/32',
  'gptq 4 bits -1 symmetric': 'I4/128',
  'gptq 8 bits 64': 'U8/64',
  'gptq 8 bits 128 symmetric': 'I8/128',
  'gptq_v2 4 bits 128': 'U4/128',
}

/** The configuration with one setting changed, by its path. */
function changed(config: Json, path: string, value: unknown): Json {
  const [key, ...rest] = path.split('.') as [string, ...string[]]
  if (rest.length === 0) return { ...config, [key]: value }
  return { ...config, [key]: changed(config[key] as Json, rest.join('.'), value) }
}
const group = 'config_groups.group_0'

describe('checkpoint/packed', () => {
  const folder = temporaryFolder()
  const open = (tensors: Tensors, config: Json | null) => {
    folder.write('config.json', JSON.stringify({ model_type: 'llama', quantization_config: config }))
    return openCheckpoint(folder.write('model.safetensors', packed(tensors)))
  }

  it('has a golden weight of every packing', () => {
    assert.deepEqual(cases.map(({ name }) => name).sort(), Object.keys(storages).sort())
  })

  for (const golden of cases)
    it(`reads ${golden.name} as the reference does, bit for bit`, () => {
      using checkpoint = open({ ...tensorsOf(golden), 'm.bias': ['F32', [1], f32(3)] }, golden.config)
      assert.deepEqual([...checkpoint.names].sort(), ['m.bias', 'm.weight'])
      const weight = checkpoint.tensor('m.weight')
      assert.deepEqual([weight.storage, weight.dims], [storages[golden.name], golden.dims])
      const wanted = new Float32Array(Uint8Array.from(Buffer.from(golden.floats, 'base64')).buffer)
      // Zeros below and above zero are one here: the reference multiplies differences, too.
      assert.deepEqual(weight.floats(), wanted)
      checkBlocks(weight.storage, weight.quantised()!, wanted.length)
    })

  it('leaves floats and bytes with scales beside them as they are', () => {
    const tensors: Tensors = {
      'm.weight': ['I8', [2, 1], Buffer.of(1, 2)],
      'm.weight_scale': ['F32', [2, 1], f32(2, 3)],
      'n.weight': ['F32', [1], f32(5)],
    }
    const config = changed(changed(compressed.config, 'format', 'int-quantized'), group, {})
    using checkpoint = open(tensors, config)
    assert.deepEqual([...checkpoint.tensor('m.weight').floats()], [2, 6])
    using plain = open({ 'n.weight': tensors['n.weight']! }, gptq.config)
    assert.deepEqual([...plain.tensor('n.weight').floats()], [5])
  })

  it('leaves out biases of zeros that AutoGPTQ wrote, and no others', () => {
    const bias = (value: number): Tensors => ({ 'm.bias': ['F16', [2], Buffer.of(0, 0, value, 0)] })
    const namesOf = (golden: Case, value: number): string[] => {
      using checkpoint = open({ ...tensorsOf(golden), ...bias(value) }, golden.config)
      return [...checkpoint.names].sort()
    }
    assert.deepEqual(namesOf(gptq, 0), ['m.weight'])
    assert.deepEqual(namesOf(gptq, 1), ['m.bias', 'm.weight'])
    assert.deepEqual(namesOf(awq, 0), ['m.bias', 'm.weight'])
  })

  const settings: [title: string, of: Case, path: string, value: unknown][] = [
    ['another method', gptq, 'quant_method', 'bitsandbytes'],
    ['three bits', gptq, 'bits', 3],
    ['bits as text', gptq, 'bits', '4'],
    ['a group of 20', gptq, 'group_size', 20],
    ['a group of 0', gptq, 'group_size', 0],
    ['another format', gptq, 'checkpoint_format', 'marlin'],
    ['other words', gptq, 'pack_dtype', 'int16'],
    ['modules of their own bits', gptq, 'dynamic', { '+:.*': { bits: 8 } }],
    ['AWQ of 8 bits', awq, 'bits', 8],
    ['another kernel', awq, 'version', 'gemv'],
    ['no zero points', awq, 'zero_point', false],
    ['another compression', compressed, 'format', 'float-quantized'],
    ['weights that are not compressed', compressed, 'quantization_status', 'initialized'],
    ['a quantised cache', compressed, 'kv_cache_scheme', { num_bits: 8 }],
    ['transforms', compressed, 'transform_config', { config_groups: {} }],
    ['sparsity', compressed, 'sparsity_config', { format: 'sparse-bitmask' }],
    ['no groups', compressed, 'config_groups', undefined],
    ['activations', compressed, `${group}.input_activations`, { num_bits: 8 }],
    ['floats', compressed, `${group}.weights.type`, 'float'],
    ['one scale', compressed, `${group}.weights.strategy`, 'tensor'],
    ['two bits', compressed, `${group}.weights.num_bits`, 2],
    ['a group of 40', compressed, `${group}.weights.group_size`, 40],
  ]
  for (const [title, golden, path, value] of settings)
    it(`refuses ${title}, naming the setting`, () => {
      const config = changed(golden.config, path, value)
      const shown = value === undefined ? 'missing' : JSON.stringify(value)
      assert.throws(
        () => open(tensorsOf(golden), config),
        (error: Error) =>
          error.name === 'SetupError' &&
          error.message.includes(`config.json has quantization_config.${path} ${shown}, which is not`),
      )
    })

  it('takes settings that change nothing', () => {
    open(tensorsOf(gptq), { ...gptq.config, dynamic: { '-:lm_head': {} }, lm_head: false })[Symbol.dispose]()
    const more = { transform_config: {}, sparsity_config: {}, ignore: ['lm_head'] }
    open(tensorsOf(compressed), { ...compressed.config, ...more })[Symbol.dispose]()
  })

  /** `change` of the tensors of a golden case. */
  const damaged: [title: string, of: Case, change: (tensors: Tensors) => void, message: RegExp][] = [
    ['no scales', gptq, (t) => delete t['m.scales'], /m packed into integers, but no m\.scales/],
    ['no zero points', awq, (t) => delete t['m.qzeros'], /but no m\.qzeros/],
    ['no shape', compressed, (t) => delete t['m.weight_shape'], /but no m\.weight_shape/],
    ['words of another type', gptq, (t) => (t['m.qweight']![0] = 'F32'), /m\.qweight as F32 where I32/],
    ['scales of integers', gptq, (t) => (t['m.scales']![0] = 'I16'), /m\.scales as I16 where F16 or/],
    [
      'one dimension',
      gptq,
      (t) => (t['m.qweight']![1] = [t['m.qweight']![2].length / 4]),
      /m\.qweight as \[512\] where two dimensions/,
    ],
    ['no rows', gptq, (t) => (t['m.qweight'] = ['I32', [0, 16], Buffer.alloc(0)]), /as \[0, 16\] where two/],
    [
      'scales of another width',
      gptq,
      (t) => (t['m.scales'] = ['F16', [2, 8], Buffer.alloc(32)]),
      /m\.scales as \[2, 8\] where \[2, 16\]/,
    ],
    [
      'zero points of another width',
      awq,
      (t) => (t['m.qzeros'] = ['I32', [4, 1], Buffer.alloc(16)]),
      /m\.qzeros as \[4, 1\] where \[4, 2\]/,
    ],
    [
      'more groups than announced',
      gptq,
      (t) => (t['m.scales'] = ['F16', [4, 16], Buffer.alloc(128)]),
      /rows of 256 with 4 scales, .* 4 bits in groups of 128/,
    ],
    [
      'an index of another length',
      gptq,
      (t) => (t['m.g_idx'] = ['I32', [2], Buffer.alloc(8)]),
      /m\.g_idx as \[2\] where \[256\]/,
    ],
    [
      'columns in another order',
      gptq,
      (t) => t['m.g_idx']![2].writeInt32LE(1, 20),
      /m\.g_idx with column 5 in group 1, .*desc_act/,
    ],
    [
      'a shape that is not the words’',
      compressed,
      (t) => t['m.weight_shape']![2].writeInt32LE(8, 0),
      /m\.weight_shape \[8, 256\] for m\.weight_packed \[16, 32\]/,
    ],
    [
      'rows longer than the words',
      compressed,
      (t) => t['m.weight_shape']![2].writeInt32LE(2 ** 24, 8),
      /rows of 16777216 with 8 scales/,
    ],
    [
      'a shape below zero',
      compressed,
      (t) => t['m.weight_shape']![2].writeBigInt64LE(-1n, 8),
      /weight_shape \[16, -1\]/,
    ],
    [
      'the weight twice',
      gptq,
      (t) => (t['m.weight'] = ['F32', [1], f32(1)]),
      /both m\.qweight and m\.weight/,
    ],
  ]
  for (const [title, golden, change, message] of damaged)
    it(`refuses ${title}`, () => {
      const tensors = tensorsOf(golden)
      change(tensors)
      assert.throws(() => open(tensors, golden.config), { name: 'SetupError', message })
    })

  for (const [what, bits] of [
    ['infinite', 0x7c00],
    ['below zero', 0xbc00],
    ['not a number', 0x7e00],
  ] as const)
    it(`refuses a scale that is ${what} when the weight is read`, () => {
      const tensors = tensorsOf(gptq)
      tensors['m.scales']![2].writeUInt16LE(bits, 6)
      using checkpoint = open(tensors, gptq.config)
      assert.throws(() => checkpoint.tensor('m.weight').floats(), /has a scale of .* in m\.scales/)
    })

  it('refuses packed weights that no config.json announces', () => {
    assert.throws(() => open(tensorsOf(gptq), null), /m\.qweight, of a weight packed .* config\.json beside/)
  })

  it('refuses a config.json that is not JSON', () => {
    folder.write('config.json', '{')
    const path = folder.write('model.safetensors', packed(tensorsOf(gptq)))
    assert.throws(() => openCheckpoint(path), { name: 'SetupError', message: /config\.json is not JSON/ })
  })
})
