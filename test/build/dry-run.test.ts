import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Checkout, model } from './checkout.js'

describe('build/dry-run', () => {
  let checkout: Checkout
  before(() => {
    checkout = new Checkout()
    // neither an addon nor anything to be mistaken for one
    rmSync(checkout.path('native'), { recursive: true })
  })
  after(() => checkout.remove())

  const run = (...args: string[]) =>
    checkout.start(join('scripts', 'build-engines.js'), ['--dry-run', ...args], { NODE_OPTIONS: '' }).ended

  for (const [runtime, precision] of [
    ['tensorrt', 'float16'],
    ['onnxruntime', 'int8'],
  ] as const)
    it(`writes the graphs for ${runtime} with their data, and nothing else`, async () => {
      const out = checkout.path(`out-${runtime}`)
      const { code, stdout, stderr } = await run('--runtime', runtime, '--precision', precision, '--out', out)
      assert.equal(code, 0, stderr)
      assert.equal(stdout, '')
      assert.deepEqual(stderr.trim().split('\n'), [
        `engines: ${model} convert`,
        `engines: ${model} written to ${join(out, model)} (0 MB)`,
      ])
      assert.deepEqual(readdirSync(out), [model])
      const files = ['first.data', 'first.onnx', 'profiles.json', 'second.data', 'second.onnx']
      assert.deepEqual(readdirSync(join(out, model)).sort(), files)
      assert.deepEqual(readdirSync(checkout.folder).includes('engines'), false)

      const session = await InferenceSession.create(join(out, model, 'second.onnx'))
      const x = new Tensor('float32', Float32Array.of(1, 0, 0, 0, 0, 0, 0, 1), [2, 4])
      const { y } = await session.run({ x, n: new Tensor('float32', Float32Array.of(0.5), [1]) })
      assert.deepEqual(y?.dims, [2, 512])
      assert.deepEqual([y?.data[1], y?.data[512]], [4.5, 3.5], 'w[1][0] and w[0][3], and a half each')
      await session.release()
    })

  it('says beside them how each graph is called and for which sizes it is built', () => {
    const path = join(checkout.path('out-tensorrt'), model, 'profiles.json')
    const { first, second } = JSON.parse(readFileSync(path, 'utf8'))
    assert.deepEqual(first, {
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['rows', 4] },
        { name: 'n', dtype: 'float32', dims: [1] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', dims: ['rows', 512] }],
      state: [],
      stateRows: 0,
      resident: [],
      slots: 8,
      profiles: [
        { name: 'one', sizes: { rows: [1, 1, 1] } },
        { name: 'many', sizes: { rows: [1, 8, 64] } },
      ],
      tf32: true,
    })
    assert.deepEqual([second.profiles, second.tf32], [[], false])
  })

  it('wants --dry-run and --out together, and known models and precisions', async () => {
    for (const [args, sentence] of [
      [[], /^--dry-run and --out DIR go together: [^\n]*\n$/],
      [['--out', 'o', '--model', 'other'], /^There is no checkpoint other [^\n]*\n$/],
      [['--out', 'o', '--precision', 'fp16'], /^PRECISION must be one of [^\n]*, not "fp16"\.\n$/],
      [['--out', 'o', '--precision', 'fp8'], /^PRECISION is fp8, but on RUNTIME onnxruntime [^\n]*\n$/],
    ] as const) {
      const { code, stderr } = await run(...args)
      assert.equal(code, 1)
      assert.match(stderr, sentence)
    }
    const script = join('scripts', 'build-engines.js')
    const without = await checkout.start(script, ['--out', 'o'], { NODE_OPTIONS: '' }).ended
    assert.match(without.stderr, /^--dry-run and --out DIR go together/)
  })
})
