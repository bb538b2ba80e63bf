import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '#src/errors.js'
import type { Manifest } from '#src/runtime/manifest.js'
import type { GraphSignature } from '#src/runtime/session.js'
import { openTensorRt } from '#src/runtime/tensorrt/engine.js'
import type { Gpu } from '#src/runtime/tensorrt/library.js'
import { collectGarbage } from '../../garbage.js'
import { describeNative } from '../../native/toolchain.js'
import { root } from '../../root.js'
import { run } from '../../scripts/process.js'
import {
  decoder,
  decoderFeeds,
  openTestEngine,
  SLOTS,
  signature,
  type TestGraph,
  tensor,
  testGpu,
  writePlans,
} from './engines.js'

/** For assert.rejects and assert.throws: a sentence for the operator. */
const sentence = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SetupError, String(error))
  assert.match(error.message, pattern)
  return true
}

describeNative('runtime/tensorrt/engine', () => {
  let gpu: Gpu
  before(async () => {
    gpu = await testGpu()
  })

  describe('the machine', () => {
    it('has to be the one that the engine was built for', async () => {
      const { folder, manifest } = await writePlans({ decoder }, gpu)
      const elsewhere = (change: Partial<NonNullable<Manifest['device']>>) => () =>
        openTensorRt(folder, { ...manifest, device: { ...manifest.device!, ...change } }, gpu)
      for (const [change, pattern] of [
        [{ tensorrt: '10.9.0.34' }, /was built for TensorRT 10\.9\.0\.34 .*, and this is TensorRT 11\./],
        [{ name: 'Another GPU', sm: 75 }, /on Another GPU \(SM 75, .*, and this is .* on Fake GPU 0 \(SM 89/],
        [{ driver: '12.9' }, /driver of CUDA 12\.9/],
        [{ cuda: '12.9' }, /with CUDA 12\.9 on/],
      ] as const) {
        assert.throws(elsewhere(change), sentence(pattern))
        assert.throws(elsewhere(change), sentence(/run `npm run build-engines -- --runtime tensorrt`/))
      }
      const { device: _, ...unknown } = manifest
      assert.throws(() => openTensorRt(folder, unknown, gpu), sentence(/npm run build-engines/))
    })
  })

  describe('plans', () => {
    it('have to be there and whole', async () => {
      const { folder, manifest } = await writePlans({ decoder }, gpu)
      const plan = join(folder, 'decoder.plan')
      writeFileSync(plan, 'not a plan')
      assert.throws(
        () => openTensorRt(folder, manifest, gpu),
        sentence(/decoder\.plan can not be read \(.+\): run `npm run build-engines/),
      )
      rmSync(plan)
      assert.throws(
        () => openTensorRt(folder, manifest, gpu),
        sentence(/There is no .*decoder\.plan: run `npm run build-engines/),
      )
    })

    it('have the graphs that are asked for', async () => {
      const engine = await openTestEngine({ decoder }, gpu)
      await assert.rejects(engine.open('encoder'), sentence(/The engine test has no graph encoder/))
      await engine.dispose()
    })

    it('have to be what the manifest says', async () => {
      const { folder, manifest } = await writePlans({ decoder }, gpu)
      const good = decoder.signature
      const [tokens, pastLength, rows, past] = good.inputs as [never, never, never, never]
      const [prefill, decode] = good.profiles as [(typeof good.profiles)[0], (typeof good.profiles)[0]]
      const cases: [Partial<GraphSignature>, RegExp][] = [
        [{ inputs: [tokens, pastLength, past] }, /it has rows besides/],
        [{ inputs: [...good.inputs, tensor('mask', 'float32', 1)] }, /it has no input mask/],
        [{ outputs: [...good.outputs, tensor('z', 'float32', 1)] }, /it has no output z/],
        [
          { inputs: [tokens, tensor('past_length', 'int64', 'batch'), rows, past] },
          /past_length is int32, not int64/,
        ],
        [
          { inputs: [tokens, tensor('past_length', 'int32', 1), rows, past] },
          /past_length is \[-1\], not \[1\]/,
        ],
        [{ profiles: [prefill] }, /it has 2 profiles, not 1/],
        [
          { profiles: [decode, prefill] },
          /its profile decode takes tokens with at least \[1, 2\], not \[1, 1\]/,
        ],
        [
          { profiles: [{ name: 'short', sizes: { batch: [1, 1, 1] } }, decode] },
          /its profile short has no size for tokens \[batch, length\]/,
        ],
        [
          { state: [{ ...good.state[0]!, fresh: 'seen' }], outputs: good.outputs },
          /seen is not written in place of past/,
        ],
        [{ slots: 2 }, /its profile decode takes more slots at once than the 2 there are/],
        [{ slots: 0 }, /it has no slots, but state or resident tensors/],
      ]
      for (const [change, pattern] of cases) {
        const graphs = { decoder: { ...good, ...change } }
        const open = () => openTensorRt(folder, { ...manifest, graphs }, gpu)
        assert.throws(open, sentence(pattern))
        assert.throws(
          open,
          sentence(/^The plan of decoder is not what its manifest says: .*npm run build-engines/),
        )
      }
      await openTensorRt(folder, manifest, gpu).dispose()
    })

    it('have shares of slots that are all alike', async () => {
      const growing: TestGraph = {
        body: ['cross = copy audio'],
        signature: signature(
          [tensor('audio', 'float32', 'batch', 'length')],
          [tensor('cross', 'float32', 'batch', 'length')],
          {
            resident: ['cross'],
            slots: 2,
            profiles: [{ name: 'any', sizes: { batch: [1, 1, 2], length: [64, 64, 128] } }],
          },
        ),
      }
      await assert.rejects(
        openTestEngine({ growing }, gpu),
        sentence(/the share of a slot in cross has an open size/),
      )
    })

    it('have state that can be read slot by slot', async () => {
      const narrow: TestGraph = {
        body: ['fresh = kv_update past rows at'],
        signature: signature(
          [
            tensor('rows', 'float32', 'batch', 1, 1, 4),
            tensor('at', 'int32', 'batch'),
            tensor('past', 'float32', 'batch', 1, 5, 4),
          ],
          [tensor('fresh', 'float32', 'batch', 1, 5, 4)],
          {
            state: [{ past: 'past', fresh: 'fresh', heads: 1, width: 4 }],
            stateRows: 5,
            slots: 2,
            profiles: [{ name: 'decode', sizes: { batch: [1, 1, 2] } }],
          },
        ),
      }
      const engine = await openTestEngine({ narrow }, gpu)
      await assert.rejects(
        engine.open('narrow'),
        /a slot's share of past has 80 bytes, but has to be a multiple of 256/,
      )
      await engine.dispose()
    })
  })

  describe('memory', () => {
    const big = { ...decoder, head: ['weights 30000000', 'activations 2000000'] }
    beforeEach(collectGarbage)
    afterEach(() => {
      delete process.env.FAKE_CUDA_MEMORY
      delete process.env.FAKE_CUDA_PINNED
    })

    /** Leaves as much free as is said, whatever other tests have not given back yet. */
    const leave = (free: number): void => {
      delete process.env.FAKE_CUDA_MEMORY
      const now = gpu.native.memory()
      process.env.FAKE_CUDA_MEMORY = String(now.total - now.free + free)
    }

    it('is reported as it was taken', async () => {
      const { free } = gpu.native.memory()
      const engine = await openTestEngine({ decoder: big }, gpu)
      // The second profile needs twice as much as the first. All contexts share it, of which there are nine here.
      const plan = 30e6 + 4e6
      const { taken } = engine.memory()!
      assert.ok(taken >= plan && taken < plan + 0.5e6, `${taken}`)
      const sessions = [await engine.open('decoder'), await engine.open('decoder')]
      const memory = engine.memory()!
      assert.ok(memory.taken > taken && memory.taken < plan + 1e6, `${memory.taken}`)
      assert.deepEqual([memory.device, memory.free], ['Fake GPU 0', free - memory.taken])
      for (const session of sessions) await session.dispose()
      await engine.dispose()
      assert.equal(gpu.native.memory().free, free)
    })

    it('that is too little is a sentence with the numbers, before anything is allocated', async () => {
      const { folder, manifest } = await writePlans({ decoder: big }, gpu)
      leave(33e6)
      const { free } = gpu.native.memory()
      assert.throws(
        () => openTensorRt(folder, manifest, gpu),
        sentence(
          /^test needs 35 MB of GPU memory \(31 MB weights, 1 MB state, 4 MB activations, 1 MB buffers\), but of the \d+ MB of Fake GPU 0 33 MB are free: end what else uses the GPU, or build the engine with a lower KV_MEMORY, fewer SLOTS or another PRECISION\.$/,
        ),
      )
      assert.equal(gpu.native.memory().free, free)
      leave(36e6)
      const engine = openTensorRt(folder, manifest, gpu)
      const session = await engine.open('decoder')
      await session.dispose()
      await engine.dispose()
    })

    it('for activations is that of the greediest graph, whatever the others need', async () => {
      const other = { ...decoder, head: ['activations 3000000'] }
      const { folder, manifest } = await writePlans({ decoder: big, other, third: other }, gpu)
      leave(33e6)
      assert.throws(
        () => openTensorRt(folder, manifest, gpu),
        sentence(/\(31 MB weights, 1 MB state, 6 MB activations, 1 MB buffers\)/),
      )
      leave(38e6)
      const engine = openTensorRt(folder, manifest, gpu)
      for (const graph of ['decoder', 'other', 'third']) {
        const session = await engine.open(graph)
        const { y } = await session.run(decoderFeeds([[3]], [0]), [{ slot: 0, past: 0 }])
        assert.deepEqual([...(y!.data as Float32Array)], [9])
      }
      await engine.dispose()
    })

    it('for the plans alone is looked at before they are read, by the size of their files', async () => {
      const { folder, manifest } = await writePlans({ decoder }, gpu)
      leave(256)
      assert.throws(
        () => openTensorRt(folder, manifest, gpu),
        sentence(/^test needs 1 MB of GPU memory \(1 MB weights\)/),
      )
    })

    it('that is the host’s is a sentence of its own', async () => {
      const engine = await openTestEngine({ decoder }, gpu)
      process.env.FAKE_CUDA_PINNED = '0'
      await assert.rejects(
        engine.open('decoder'),
        sentence(
          /^test can not be loaded: the host has no room for \d+ page-locked bytes\. End what else uses that memory\.$/,
        ),
      )
      await engine.dispose()
    })

    it('that is taken by another meanwhile is the same sentence', async () => {
      const engine = await openTestEngine({ decoder: big }, gpu)
      leave(1000)
      await assert.rejects(
        engine.open('decoder'),
        // What is its own counts as free: the weights, the activations.
        sentence(/^test needs 35 MB of GPU memory \(31 MB weights.* of Fake GPU 0 35 MB are free/),
      )
      leave(1e6)
      await (await engine.open('decoder')).dispose()
      await engine.dispose()
    })
  })

  it('gives everything back, also when it cannot be opened', async () => {
    const script = join(root, 'dist-test', 'runtime', 'tensorrt', 'child', 'living.js')
    const { code, stdout, stderr } = await run([script], { cwd: root })
    assert.equal(code, 0, stderr)
    const { loaded, before, serving, after, failed, failures, free } = JSON.parse(stdout)
    assert.deepEqual(loaded, [], 'the other runtime')
    // Eight contexts for decoding, one for prefill; the input, output and state memory beside their activations.
    assert.equal(serving.contexts - (before.contexts ?? 0), 9)
    assert.ok(serving.graphExecs >= SLOTS, `${serving.graphExecs} recordings`)
    assert.deepEqual(after, { ...before, runtimes: 1 }, 'TensorRT itself stays')
    assert.deepEqual(failed, after)
    assert.equal(free, 0)
    assert.equal(failures.length, 3)
    assert.match(failures[0], /it has 2 profiles, not 1/)
    assert.match(failures[1], /^test needs 101 MB of GPU memory/)
    assert.match(failures[2], /broken/)
  })
})
