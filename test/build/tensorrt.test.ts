import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BuildOptions } from '#src/runtime/addon.js'
import { readManifest } from '#src/runtime/store.js'
import { Checkout, model } from './checkout.js'

describe('build/tensorrt', () => {
  let checkout: Checkout
  before(() => {
    checkout = new Checkout()
  })
  after(() => checkout.remove())

  const planOf = (graph: string): BuildOptions =>
    JSON.parse(readFileSync(join(checkout.engine, `${graph}.plan`), 'utf8')) as BuildOptions
  const cache = '.timing-sm89-11.1.0.106.cache'

  describe('with a GPU', () => {
    it('builds plans, each in a process of its own, and says what they are tied to', async () => {
      const { code, stderr } = await checkout.build()
      assert.equal(code, 0, stderr)
      assert.deepEqual(
        stderr
          .replace(/\d+\.\d s/, '0 s')
          .trim()
          .split('\n'),
        [
          `engines: ${model} verify`,
          `engines: ${model} convert`,
          `engines: ${model} compile first`,
          `engines: ${model} compile second`,
          `engines: ${model} record`,
          `engines: ${model} built in 0 s (0 MB)`,
        ],
      )
      assert.deepEqual(checkout.made, [cache, model], 'the timings stay beside the engine')
      const files = ['config.json', 'first.plan', 'second.plan']
      assert.deepEqual(readdirSync(checkout.engine).sort(), [...files, 'manifest.json'].sort())
      const manifest = readManifest(checkout.engine)
      assert.deepEqual(Object.keys(manifest.files).sort(), files)
      assert.equal(manifest.runtime, 'tensorrt')
      assert.deepEqual(
        manifest.options,
        { precision: 'float16', slots: 8 },
        'KV_MEMORY is the language model’s',
      )
      assert.deepEqual(manifest.device, {
        tensorrt: '11.1.0.106',
        cuda: '13.3',
        sm: 89,
        name: 'Fake L4',
        driver: '13.3',
      })
      const { first, second } = manifest.graphs
      assert.deepEqual([first?.slots, first?.profiles.length, second?.profiles.length], [8, 2, 0])
    })

    it('hands the addon files, profiles by input, and whether float32 may lose bits', () => {
      const building = /\.tiny\.building-\d+\/first\.onnx$/
      const { onnx, plan, ...rest } = planOf('first')
      assert.match(onnx, building)
      assert.equal(plan, onnx.replace(/onnx$/, 'plan'))
      assert.deepEqual(rest, {
        profiles: [
          { x: { min: [1, 4], opt: [1, 4], max: [1, 4] } },
          { x: { min: [1, 4], opt: [8, 4], max: [64, 4] } },
        ],
        timingCache: join(checkout.engines, cache),
        tf32: true,
      })
      const { profiles, tf32 } = planOf('second')
      assert.deepEqual({ profiles, tf32 }, { profiles: [], tf32: false })
    })

    it('builds again for other options, another TensorRT or another GPU, and for nothing else', async () => {
      const again = async (env: Record<string, string>, ...args: string[]): Promise<boolean> => {
        const { code, stderr } = await checkout.build(env, ...args)
        assert.equal(code, 0, stderr)
        return !stderr.includes('up to date')
      }
      assert.equal(await again({}), false)
      assert.equal(await again({ KV_MEMORY: '1GB' }), false, 'not of the language model')
      assert.equal(await again({ SLOTS: '4' }), true)
      assert.deepEqual(planOf('first').profiles[1], { x: { min: [1, 4], opt: [4, 4], max: [64, 4] } })
      assert.equal(await again({}), true)
      assert.equal(await again({}, '--precision', 'bfloat16'), true)
      assert.equal(readManifest(checkout.engine).options.precision, 'bfloat16')
      assert.equal(await again({ PRECISION: 'bfloat16' }), false)
      assert.equal(await again({ PRECISION: 'bfloat16', FAKE_TENSORRT: '11.2.0.9' }), true)
      assert.equal(await again({}), true)
      assert.equal(await again({ FAKE_GPU: 'Fake L40' }), true)
      assert.equal(await again({}), true)
      assert.deepEqual(checkout.made, [cache, '.timing-sm89-11.2.0.9.cache', model])
    })

    it('at its start the service names the machine of the engine, this one, and the command', async () => {
      const env = { RUNTIME: 'tensorrt', FAKE_GPU: 'Fake H100' }
      const { code, stderr } = await checkout.start(join('dist', 'main.js'), [], env).ended
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^The engine in \S+ was built for TensorRT 11\.1\S+ with CUDA 13\.3 on Fake L4 \(SM 89, .*\), and this is .* on Fake H100 \(.*\): run `npm run build-engines -- --runtime tensorrt` [^\n]*\n$/,
      )
      const other = await checkout.start(join('dist', 'main.js'), [], { RUNTIME: 'tensorrt', SLOTS: '2' })
        .ended
      assert.match(other.stderr, /^The engine in \S+ was built with other options \(slots 8 instead of 2\): /)
    })

    for (const [fake, sentence] of [
      [
        'abort',
        /^TensorRT's process died of SIGABRT while it built the graph first; its last words were: .*low on memory \| terminate called after throwing an instance of 'nvinfer1::APIUsageError'\.$/,
      ],
      ['killed', /^TensorRT's process was killed \(SIGKILL, .*memory\) while it built the graph first.*\.$/],
      ['exit', /^TensorRT's process ended with code 3 while it built the graph first; .*: low on memory\.$/],
      ['refused', /^TensorRT did not build the graph first: The parser refuses node Add#1: mixed types\.$/],
    ] as const)
      it(`turns a build that is ${fake} into a sentence, and leaves the engine as it was`, async () => {
        const before = readManifest(checkout.engine)
        const { code, stderr } = await checkout.build({ FAKE_BUILD: fake, SLOTS: '3' })
        assert.equal(code, 1)
        const lines = stderr.trim().split('\n')
        assert.equal(lines.at(-2), `engines: ${model} compile first`)
        assert.match(lines.at(-1)!, sentence)
        assert.deepEqual(readManifest(checkout.engine), before)
        assert.ok(!checkout.made.some((name) => name.includes('building')), String(checkout.made))
      })

    it('does not wait for a process that has made its plan and hangs in its end', async () => {
      const begun = performance.now()
      const { code, stderr } = await checkout.build({ FAKE_BUILD: 'lingering', SLOTS: '6' })
      assert.equal(code, 0, stderr)
      assert.ok(performance.now() - begun > 3000, 'it was given time')
      assert.equal((await checkout.build()).code, 0)
    })

    it('shows a fault of the program with its stack', async () => {
      const { code, stderr } = await checkout.build({ FAKE_BUILD: 'bug', SLOTS: '3' })
      assert.equal(code, 1)
      assert.match(stderr, /TypeError: a bug of the addon\n {4}at build .*fake-addon\.cjs/)
    })
  })

  describe('interrupted', () => {
    const isAlive = (pid: number): boolean => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    async function until(condition: () => boolean, what: string): Promise<void> {
      const deadline = performance.now() + 20_000
      while (!condition()) {
        assert.ok(performance.now() < deadline, what)
        await sleep(20)
      }
    }
    /** Starts a build that never ends; resolves with its process and TensorRT's. */
    async function endless() {
      rmSync(checkout.path('planner-pid'), { force: true })
      const args = ['--runtime', 'tensorrt']
      const env = { FAKE_BUILD: 'endless', SLOTS: '3' }
      const started = checkout.start(join('scripts', 'build-engines.js'), args, env)
      const read = () =>
        existsSync(checkout.path('planner-pid')) ? Number(readFileSync(checkout.path('planner-pid'))) : 0
      await until(() => read() > 0, 'the build did not begin')
      return { ...started, planner: read() }
    }

    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      it(`by ${signal} it ends as a program does, and leaves nothing`, async () => {
        const before = checkout.made
        const { pid, ended, planner } = await endless()
        process.kill(pid, signal)
        const { code, stderr } = await ended
        assert.equal(code, null, 'it died of the signal')
        assert.equal(stderr.trim().split('\n').at(-1), `engines: ${model} compile first`)
        assert.ok(!isAlive(planner))
        assert.deepEqual(checkout.made, before)
      })

    it('by SIGKILL, TensorRT’s process ends too, and the next build clears away what was begun', async () => {
      const { pid, ended, planner } = await endless()
      process.kill(pid, 'SIGKILL')
      await ended
      await until(() => !isAlive(planner), 'TensorRT’s process went on')
      assert.equal(checkout.made.filter((name) => name.includes('building')).length, 1)
      assert.equal((await checkout.build({ SLOTS: '5' })).code, 0)
      assert.ok(!checkout.made.some((name) => name.includes('building')))
    })

    it('TensorRT’s process does not hear the Ctrl-C of the terminal before the build decides', async () => {
      const { pid, ended, planner } = await endless()
      process.kill(planner, 'SIGINT')
      await sleep(300)
      assert.ok(isAlive(planner))
      process.kill(pid, 'SIGTERM')
      await ended
      assert.ok(!isAlive(planner))
    })
  })

  describe('without something it needs, in one sentence', () => {
    async function sentence(env: Record<string, string>): Promise<string> {
      const { code, stderr } = await checkout.build(env)
      assert.equal(code, 1)
      assert.match(stderr, /^[^\n]+\n$/)
      return stderr.trim()
    }

    it('the libraries, the driver, the GPU', async () => {
      assert.equal(
        await sentence({ TENSORRT_LIBRARIES: '/nowhere', FAKE_DRIVER: 'none' }),
        'TensorRT can not be used here: There is no libnvinfer.so.11 in /nowhere: install TensorRT or name its folder (with TENSORRT_LIBRARIES).',
      )
      assert.equal(
        await sentence({ FAKE_DRIVER: 'none', DEVICE: '3' }),
        'TensorRT can not be used here: no NVIDIA driver was found: install one.',
      )
      assert.equal(await sentence({ DEVICE: '3' }), 'There is no GPU 3: DEVICE must be one of 0 (Fake L4).')
    })

    it('the addon, or one that can be loaded', async () => {
      const addon = checkout.path('native/build/tensorrt.node')
      assert.match(
        await sentence({ NODE_OPTIONS: '' }),
        /^TensorRT can not be used here: .*tensorrt\.node: .*\.$/,
      )
      renameSync(addon, `${addon}.away`)
      assert.equal(
        await sentence({ FAKE_DRIVER: 'none' }),
        `The TensorRT addon ${addon} is not compiled: run \`npm run build:native\` (or \`npm start\`, which does it).`,
      )
      renameSync(`${addon}.away`, addon)
    })
  })
})
