import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { recordedDigests, verifyFile } from '#src/checkpoint/digest.js'
import { checkpoint } from '../root.js'
import { f32, gguf, packed, temporaryFolder, tensorInfo } from './writers.js'

/** A safetensors file taken apart by JSON and DataView alone. */
function raw(path: string) {
  const bytes = readFileSync(path)
  const start = 8 + Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { data_offsets: [number, number] }
  >
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { view, at: (name: string) => start + header[name]!.data_offsets[0] }
}

/** binary16 by its definition. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const size = exponent ? (1024 + (bits & 1023)) * 2 ** (exponent - 25) : (bits & 1023) * 2 ** -24
  return bits & 0x8000 ? -size : size
}

describe('checkpoint/checkpoint', () => {
  const folder = temporaryFolder()
  const small = (value: number) => packed({ w: ['F32', [1], f32(value)] })
  const sub = (name: string): string => {
    mkdirSync(join(folder.path, name))
    return join(folder.path, name)
  }

  it('does not wait for who may write to a pipe', () => {
    const pipe = join(sub('pipe'), 'model.safetensors')
    execFileSync('mkfifo', [pipe])
    // In a process of its own, which can be killed while it waits.
    const reader = new URL('../../dist/checkpoint/checkpoint.js', import.meta.url)
    const open = `import(process.argv[1]).then((it) => it.openCheckpoint(process.argv[2])).catch((error) => console.log(error.message))`
    const arguments_ = ['-e', open, reader.href, pipe]
    const { stdout } = spawnSync(process.execPath, arguments_, { timeout: 10_000, killSignal: 'SIGKILL' })
    assert.match(String(stdout), /model\.safetensors is not a file/)
  })

  it('finds the file of a folder: model.safetensors, then an index, another safetensors, a GGUF', () => {
    const path = sub('order')
    const value = () => {
      using opened = openCheckpoint(path)
      return opened.tensor('w').floats()[0]
    }
    assert.throws(value, { name: 'SetupError', message: /order has no \*\.safetensors and no \*\.gguf/ })
    folder.write('order/x.GGUF', gguf({ infos: [tensorInfo('w', [1], 0, 0)], data: f32(1) }))
    assert.equal(value(), 1)
    folder.write('order/x.safetensors', small(2))
    assert.equal(value(), 2)
    folder.write('order/y.safetensors', small(3))
    assert.throws(value, {
      name: 'SetupError',
      message: /several checkpoints \(x\.safetensors, y\.safetensors\)/,
    })
    folder.write('order/x.safetensors.index.json', '{"weight_map": {"w": "y.safetensors"}}')
    assert.equal(value(), 3)
    folder.write('order/model.safetensors', small(4))
    assert.equal(value(), 4)
  })

  it('opens a file by its content, whatever its name', () => {
    const open = (bytes: Buffer | string) => {
      using opened = openCheckpoint(folder.write('content.bin', bytes))
      return opened.names
    }
    assert.deepEqual(open(small(1)), ['w'])
    assert.deepEqual(open(gguf({ infos: [tensorInfo('g', [1], 0, 0)], data: f32(1) })), ['g'])
    folder.write('shard.safetensors', small(1))
    assert.deepEqual(open('{"weight_map": {"w": "shard.safetensors"}}'), ['w'])
    assert.throws(() => openCheckpoint(join(folder.path, 'none')), {
      name: 'SetupError',
      message: /none can not be opened/,
    })
  })

  it('leaves no file open when it refuses one', function () {
    const opened = () => readdirSync('/proc/self/fd').length
    if (process.platform !== 'linux') this.skip()
    const path = folder.write('bad.safetensors', Buffer.alloc(8, 1))
    const before = opened()
    for (let i = 0; i < 5; i++) assert.throws(() => openCheckpoint(path))
    assert.equal(opened(), before)
  })

  it('reads Whisper: I8 rows with scales, the rest F16', () => {
    using whisper = openCheckpoint(checkpoint('whisper-base'))
    assert.equal(whisper.names.length, 245)
    const { view, at } = raw(join(checkpoint('whisper-base'), 'model.safetensors'))
    const embedding = whisper.tensor('model.decoder.embed_tokens.weight')
    assert.deepEqual([embedding.dims, embedding.storage], [[51865, 512], 'I8'])
    const floats = embedding.floats()
    const numbers = embedding.quantised()
    assert.ok(numbers?.form === 'affine' && numbers.zeroPoint === null)
    for (const [row, column] of [
      [0, 0],
      [50257, 3],
      [51864, 511],
    ] as const) {
      const q = view.getInt8(at(embedding.name) + row * 512 + column)
      const scale = view.getFloat32(at(`${embedding.name}_scale`) + row * 4, true)
      assert.equal(numbers.values[row * 512 + column], q)
      assert.equal(numbers.scale[row], scale)
      assert.equal(floats[row * 512 + column], Math.fround(q * scale))
    }
    const conv = whisper.tensor('model.encoder.conv1.weight')
    assert.deepEqual([conv.dims, conv.storage, conv.quantised()], [[512, 80, 3], 'F16', null])
    const wide = conv.floats()
    assert.equal(wide.length, 512 * 80 * 3)
    for (const i of [0, 1, 777, wide.length - 1])
      assert.equal(wide[i], half(view.getUint16(at(conv.name) + i * 2, true)))
    assert.equal(whisper.metadata.get('format'), 'pt')
  })

  it('reads Kokoro: I8 per row or whole, U8 with zero points, F16 and F32', () => {
    using kokoro = openCheckpoint(checkpoint('kokoro-82m'))
    assert.equal(kokoro.names.length, 741 - 197 - 87)
    const { view, at } = raw(join(checkpoint('kokoro-82m'), 'kokoro-v1_0.safetensors'))
    const quantised = kokoro.names.filter((name) => kokoro.tensor(name).quantised())
    assert.equal(quantised.length, 197)
    const conv = kokoro.tensor('text_encoder.cnn.2.0.weight')
    assert.deepEqual([conv.dims, conv.storage], [[512, 512, 5], 'U8'])
    const zero = view.getUint8(at(`${conv.name}_zero_point`))
    const scale = view.getFloat32(at(`${conv.name}_scale`), true)
    const floats = conv.floats()
    for (const i of [0, 12345, floats.length - 1])
      assert.equal(floats[i], Math.fround((view.getUint8(at(conv.name) + i) - zero) * scale))
    const ups = kokoro.tensor('decoder.generator.ups.0.weight')
    assert.equal(ups.floats()[1000], half(view.getUint16(at(ups.name) + 2000, true)))
    const norm = kokoro.tensor('bert.embeddings.LayerNorm.bias')
    assert.equal(norm.floats()[127], view.getFloat32(at(norm.name) + 127 * 4, true))
    const parameters = kokoro.names.reduce(
      (sum, name) => sum + kokoro.tensor(name).dims.reduce((a, b) => a * b, 1),
      0,
    )
    assert.equal(parameters, 81_140_664)
  })

  it('reads SmolLM2: Q4_1 and Q8_0 blocks, rows as GGUF has them', async () => {
    const path = join(checkpoint('smollm2-135m-instruct'), 'SmolLM2-135M-Instruct-Q4_1.gguf')
    using llama = openCheckpoint(checkpoint('smollm2-135m-instruct'))
    assert.equal(llama.names.length, 272)
    const count = (storage: string) =>
      llama.names.filter((name) => llama.tensor(name).storage === storage).length
    assert.deepEqual(['Q4_1', 'Q8_0', 'F32'].map(count), [210, 1, 61])
    assert.equal(llama.metadata.get('general.architecture'), 'llama')
    const tokens = llama.metadata.get('tokenizer.ggml.tokens')
    assert.ok(Array.isArray(tokens) && tokens.length === 49152 && tokens[1] === '<|im_start|>')

    // The data end with the file, so each tensor's place follows from its description in the header.
    const bytes = readFileSync(path)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const data = bytes.length - (66_355_200 + 30_081_024 + 140_544)
    const place = (name: string) => {
      const info = bytes.indexOf(`${name}`, data - 40_000) + name.length
      return data + Number(bytes.readBigUInt64LE(info + 4 + 8 * bytes.readUInt32LE(info) + 4))
    }
    const down = llama.tensor('blk.3.ffn_down.weight')
    assert.deepEqual(down.dims, [576, 1536])
    const floats = down.floats()
    for (const [row, column] of [
      [0, 0],
      [5, 17],
      [575, 1535],
    ] as const) {
      const block = place(down.name) + ((row * 1536 + column) >> 5) * 20
      const pair = view.getUint8(block + 4 + (column & 15))
      const q = column & 16 ? pair >> 4 : pair & 15
      const value = half(view.getUint16(block, true)) * q + half(view.getUint16(block + 2, true))
      assert.equal(floats[row * 1536 + column], Math.fround(value))
    }
    const embedding = llama.tensor('token_embd.weight')
    assert.deepEqual(embedding.dims, [49152, 576])
    const numbers = embedding.quantised()
    assert.ok(numbers?.form === 'blocks' && numbers.bits === 8 && numbers.scale.length === 49152 * 18)
    const last = place(embedding.name) + 30_081_024 - 34
    assert.equal(numbers.values.at(-1), view.getInt8(last + 33))
    assert.equal(numbers.scale.at(-1), half(view.getUint16(last, true)))
    const norm = llama.tensor('output_norm.weight')
    assert.equal(norm.floats()[575], view.getFloat32(place(norm.name) + 575 * 4, true))
    await verifyFile(
      path,
      recordedDigests(checkpoint('smollm2-135m-instruct')).get('SmolLM2-135M-Instruct-Q4_1.gguf') ?? '',
    )
  })
})
