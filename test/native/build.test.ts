import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BuildProgress, Native, Severity } from '#src/runtime/addon.js'
import { askChild } from './child.js'
import { buildOptions, failure, newPath, openNative, sized, writeProgram } from './native.js'
import { describeNative } from './toolchain.js'

const copy = ['input x float32 [N]', 'y = copy x', 'output y']
const profile = { x: sized([1], [2], [4]) }

describeNative('build', () => {
  let native: Native
  before(async () => {
    native = await openNative()
  })
  afterEach(() => native?.onLog(null))

  /** What TensorRT logs while a build runs, and the build's own result. */
  async function logged(options: Parameters<Native['build']>[0]): Promise<string> {
    const lines: string[] = []
    native.onLog((severity, message) => lines.push(`${severity}: ${message}`))
    await native.build(options).done
    await new Promise((resolve) => setImmediate(resolve))
    native.onLog(null)
    return lines.join('\n')
  }

  it('inspects a network without building it', () => {
    const onnx = writeProgram('input a float16 [B,2]', 'b = copy a', 'c = copy b', 'output c')
    const tensor = (name: string) => ({ name, dtype: 'float16', dims: [-1, 2] })
    assert.deepEqual(native.inspect(onnx), { layers: 2, inputs: [tensor('a')], outputs: [tensor('c')] })
    assert.throws(() => native.inspect(newPath('onnx')), failure('misuse', /cannot be read: No such file/))
    for (const [lines, message] of [
      [
        ['input x float32 [1]', 'y = gelu x', 'output y'],
        /no importer for this operator.*at node "y", a gelu/,
      ],
      [['input x float32 [1]', 'input i int32 [1]', 'y = add x i', 'output y'], /must have the same type/],
      [['fail parse the model is of another age'], /does not take ".*\.onnx": the model is of another age/],
      [['input x float32 [1]'], /has no output/],
    ] as const)
      assert.throws(() => native.inspect(writeProgram(...lines)), failure('tensorrt', message))
  })

  it('reports its progress in phases, and what it made', async () => {
    const options = buildOptions(writeProgram('steps 3', ...copy), [profile])
    const progress: BuildProgress[] = []
    const report = await native.build(options, (step) => progress.push(step)).done
    assert.equal(report.layers, 1)
    assert.equal(report.planBytes, statSync(options.plan).size)
    assert.ok(report.seconds > 0 && report.seconds < 10)
    const whole = progress.filter(({ parent }) => parent === null)
    const phase = { phase: 'Building the engine', parent: null, steps: 3 }
    assert.deepEqual(whole, [
      ...[0, 1, 2, 3].map((step) => ({ ...phase, step, finished: false })),
      { ...phase, step: 3, finished: true },
    ])
    const inner = progress.filter(({ phase }) => phase === 'Timing layer 1')
    assert.deepEqual(
      inner.map(({ parent, step, steps, finished }) => [parent, step, steps, finished]),
      [0, 1, 1].map((step, index) => ['Building the engine', step, 1, index === 2]),
    )
  })

  it('streams the plan to its place when it is whole, over what was there', async () => {
    const options = buildOptions(writeProgram(...copy, `# ${'long '.repeat(20_000)}`), [profile])
    writeFileSync(options.plan, 'old')
    const { planBytes } = await native.build(options).done
    assert.ok(planBytes > 100_000)
    assert.equal(statSync(options.plan).size, planBytes)
    native.loadEngine(options.plan).dispose()
    assert.deepEqual(beside(options.plan), [])
  })

  it('leaves what was there when it fails, and nothing else', async () => {
    const options = buildOptions(writeProgram('fail build no kernel for node y', ...copy), [profile])
    writeFileSync(options.plan, 'old')
    await assert.rejects(
      native.build(options).done,
      failure('tensorrt', /could not build ".*": .*no kernel for node y/),
    )
    assert.equal(readFileSync(options.plan, 'utf8'), 'old')
    assert.deepEqual(beside(options.plan), [])
  })

  it('says where the plan cannot be written', async () => {
    const folder = join(newPath('folder'), 'missing')
    const options = buildOptions(writeProgram(...copy), [profile], { plan: join(folder, 'x.plan') })
    await assert.rejects(native.build(options).done, failure('misuse', /cannot be created: No such file/))
    const full = buildOptions(writeProgram(...copy), [profile])
    mkdirSync(full.plan)
    await assert.rejects(native.build(full).done, failure('tensorrt', /cannot be written: Is a directory/))
    assert.deepEqual(beside(full.plan), [])
  })

  it('stops at the next step when it is cancelled', async () => {
    const options = buildOptions(writeProgram('steps 1000', 'slow 5', ...copy), [profile])
    let reached = 0
    const job = native.build(options, ({ step }) => {
      reached = Math.max(reached, step)
      if (step === 2) job.cancel()
    })
    await assert.rejects(job.done, failure('cancelled', /the build of ".*" was cancelled/))
    assert.ok(reached < 500, `${reached} of 1000 steps`)
    assert.equal(existsSync(options.plan), false)
    assert.deepEqual(beside(options.plan), [])
    job.cancel()
    const early = native.build(options)
    early.cancel()
    await assert.rejects(early.done, failure('cancelled', /was cancelled/))
  })

  it('may be cancelled when it is done, to no effect', async () => {
    const options = buildOptions(writeProgram(...copy), [profile])
    const job = native.build(options)
    await job.done
    job.cancel()
    assert.ok(existsSync(options.plan))
  })

  it('does not block, and two builds at once keep their words apart', async () => {
    const slow = ['steps 10', 'slow 10', ...copy]
    const good = buildOptions(writeProgram(...slow), [profile])
    let turns = 0
    const turning = setInterval(() => turns++, 5)
    const order: string[] = []
    const failing = native.build(buildOptions(writeProgram(...slow, 'fail build first'), [profile]), () =>
      order.push('first'),
    ).done
    const other = native.build(buildOptions(writeProgram(...slow, 'fail build second'), [profile]), () =>
      order.push('second'),
    ).done
    const [report, ...refused] = await Promise.allSettled([native.build(good).done, failing, other])
    clearInterval(turning)
    assert.ok(order.indexOf('second') < order.lastIndexOf('first'), 'side by side')
    assert.ok(turns > 0, 'the event loop went on')
    assert.equal(report?.status, 'fulfilled')
    for (const [index, word] of ['first', 'second'].entries()) {
      const result = refused[index]
      assert.ok(result?.status === 'rejected' && failure('tensorrt', new RegExp(word))(result.reason))
    }
  })

  it('checks the profiles', async () => {
    const onnx = writeProgram(...copy)
    for (const [profiles, code, message] of [
      [[], 'misuse', /lacks input "x", whose size is open: \[-1\]/],
      [[{}], 'misuse', /profile 0 lacks input "x"/],
      [
        [profile, { z: sized([1], [1], [1]), ...profile }],
        'misuse',
        /profile 1 is for an input "z" .* it has x/,
      ],
      [[{ x: sized([1], [1, 2], [1]) }], 'misuse', /another number of dimensions than \[-1\]/],
      [[{ x: sized([3], [2], [4]) }], 'misuse', /profile 0 is not ordered for input "x": min \[3\]/],
    ] as const)
      await assert.rejects(native.build(buildOptions(onnx, profiles)).done, failure(code, message))
    const fixed = writeProgram('input x float32 [2]', 'y = copy x', 'output y')
    await assert.rejects(
      native.build(buildOptions(fixed, [{ x: sized([3], [3], [3]) }])).done,
      failure('tensorrt', /profile 0 has \[3\] for \[2\]/),
    )
  })

  it('passes its options on', async () => {
    const onnx = writeProgram(...copy)
    const plain = await logged(buildOptions(onnx, [profile]))
    assert.match(plain, /info: building: tf32 off, level 3, workspace 0/)
    const more = { tf32: true, optimizationLevel: 5, workspaceBytes: 4096 }
    assert.match(await logged(buildOptions(onnx, [profile], more)), /tf32 on, level 5, workspace 4096/)
  })

  it('refuses options that are none', () => {
    const good = buildOptions(writeProgram(...copy), [profile])
    for (const [wrong, message] of [
      [{ onnx: 1 }, /onnx must be a string/],
      [{ plan: undefined }, /plan must be a string/],
      [{ profiles: {} }, /profiles must be an array/],
      [{ profiles: [{ x: 1 }] }, /must be an object of min, opt and max/],
      [{ profiles: [{ x: { min: [1], opt: [1] } }] }, /max of input "x" must be an array/],
      [{ tf32: undefined }, /tf32 must be true or false/],
      [{ optimizationLevel: 6 }, /optimizationLevel must be an integer from 0 to 5/],
      [{ workspaceBytes: -1 }, /workspaceBytes must be/],
      [{ timingCache: 1 }, /timingCache must be a string/],
    ] as const)
      assert.throws(() => native.build({ ...good, ...wrong } as typeof good), failure('misuse', message))
    assert.throws(() => native.build(undefined as never), failure('misuse', /options must be an object/))
    assert.throws(() => native.build(good, 1 as never), failure('misuse', /onProgress must be a function/))
  })

  it('keeps timings, uses them again, and begins anew with those of another GPU', async () => {
    const timingCache = newPath('timings')
    const options = () => buildOptions(writeProgram('steps 7', ...copy), [profile], { timingCache })
    const known = /all timings are in the cache/
    assert.doesNotMatch(await logged(options()), known)
    const first = readFileSync(timingCache, 'utf8')
    assert.match(await logged(options()), known)
    assert.equal(readFileSync(timingCache, 'utf8'), first)
    for (const useless of [first.replace(' 89 ', ' 75 '), 'nonsense', '']) {
      writeFileSync(timingCache, useless)
      assert.doesNotMatch(await logged(options()), known)
      assert.equal(readFileSync(timingCache, 'utf8'), first)
    }
    assert.deepEqual(beside(timingCache), [])
  })

  it('ends what it logs with its listener', async () => {
    const heard: [Severity, string][] = []
    const options = () => buildOptions(writeProgram(...copy), [profile])
    native.onLog((severity, message) => heard.push([severity, message]))
    native.onLog((severity, message) => heard.push([severity, message]))
    await native.build(options()).done
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(
      heard.map(([severity]) => severity),
      ['info'],
    )
    native.onLog(null)
    native.onLog(null)
    await native.build(options()).done
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(heard.length, 1)
    assert.throws(() => native.onLog(undefined as never), failure('misuse', /must be a function or null/))
  })

  it('builds for the GPU of its thread', async () => {
    const env = { FAKE_CUDA_DEVICES: '2', FAKE_CUDA_SM: '80,120' }
    assert.deepEqual(await askChild('second-gpu', { env }), { sm: '120', doubled: [2, 4] })
  })
})

/** Files that a build may have left beside its result. */
const beside = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => join(dirname(path), name).startsWith(`${path}.`))
