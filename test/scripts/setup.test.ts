import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { Clone } from './clone.js'

describe('scripts/setup.js', () => {
  let clone: Clone
  beforeEach(() => {
    clone = new Clone()
  })
  afterEach(() => clone.remove())

  async function succeeds(
    args: string[] = [],
    env: Record<string, string | undefined> = {},
  ): Promise<string> {
    const { code, stderr } = await clone.setUp(env, args)
    assert.equal(code, 0, stderr)
    return stderr
  }

  it('installs, compiles and builds engines on a fresh clone, and says how long each step took', async () => {
    const said = await succeeds([], { NODE_ENV: 'production' })
    assert.match(said, /^set-up: dependencies \d+\.\d s$/m)
    assert.match(said, /^set-up: compilation \d+\.\d s$/m)
    assert.match(said, /^set-up: engines \d+\.\d s$/m)
    assert.deepEqual(clone.npmCalls, ['ci --include=dev --loglevel=warn'])
    assert.ok(clone.has('dist/main.js'))
    assert.ok(!clone.has('dist-test'))
  })

  it('leaves alone what is up to date', async () => {
    await succeeds()
    const said = await succeeds()
    assert.doesNotMatch(said, /dependencies|compilation/)
    assert.equal(clone.npmCalls.length, 1)
  })

  it('installs again when the lock file changed', async () => {
    await succeeds()
    clone.write('package-lock.json', '{ "lockfileVersion": 3 }')
    await succeeds()
    assert.equal(clone.npmCalls.length, 2)
  })

  it('compiles a changed source, and removes the output of one that is gone', async () => {
    clone.write('src/old.ts', 'export const old = 1\n')
    await succeeds()
    assert.ok(clone.has('dist/old.js'))
    rmSync(clone.path('src/old.ts'))
    clone.write('src/main.ts', 'export const answer: number = 43\n')
    await succeeds()
    assert.match(clone.read('dist/main.js'), /43/)
    assert.ok(!clone.has('dist/old.js'))
  })

  it('compiles again when the output was removed', async () => {
    await succeeds()
    rmSync(clone.path('dist'), { recursive: true })
    await succeeds()
    assert.ok(clone.has('dist/main.js'))
  })

  it('shows a type error and stops, until it is repaired', async () => {
    clone.write('src/main.ts', "export const answer: number = 'text'\n")
    for (const _ of ['first', 'second']) {
      const { code, stderr } = await clone.setUp()
      assert.equal(code, 1)
      assert.match(stderr, /TS2322/)
      assert.match(stderr, /^set-up: the sources do not compile/m)
    }
    clone.write('src/main.ts', 'export const answer: number = 1\n')
    await succeeds()
  })

  it('also compiles the tests with --for-tests, and checks them again when a source changed', async () => {
    await succeeds()
    await succeeds(['--for-tests'])
    assert.ok(clone.has('dist-test/main.test.js'))
    clone.write('src/main.ts', "export const answer: string = 'text'\n")
    const { code, stderr } = await clone.setUp({}, ['--for-tests'])
    assert.equal(code, 1)
    assert.match(stderr, /test\/main\.test\.ts/)
  })

  it('stops at a finding of the linter with --for-tests', async () => {
    clone.write('src/main.ts', 'export let answer: number = 42\nanswer == 4\n')
    const { code, stderr } = await clone.setUp({}, ['--for-tests'])
    assert.equal(code, 1)
    assert.match(stderr, /noDoubleEquals/)
    await succeeds()
  })

  it('shows why npm failed, in the end with one sentence', async () => {
    const { code, stderr } = await clone.setUp({ NPM_OF_THE_TEST: 'offline' })
    assert.equal(code, 1)
    const lines = stderr.trim().split('\n')
    assert.equal(lines.at(-2), 'npm error code ENOTFOUND')
    assert.match(lines.at(-1) ?? '', /^set-up: npm ci failed .*network/)
    await succeeds()
  })

  it('says so when there is no npm', async () => {
    const { code, stderr } = await clone.setUp({ npm_execpath: undefined, PATH: clone.folder })
    assert.equal(code, 1)
    assert.match(stderr, /^set-up: npm was not found: .*$/m)
    assert.doesNotMatch(stderr, /\n {4}at /)
  })

  it('refuses an old Node and an unknown platform in one sentence', async () => {
    const pretend = (name: string, value: string) =>
      `--import=data:text/javascript,Object.defineProperty(process,'${name}',{value:'${value}'})`
    const old = await clone.setUp({ NODE_OPTIONS: pretend('version', 'v18.20.4') })
    assert.equal(old.code, 1)
    assert.match(
      old.stderr,
      /^simple-audio-service needs Node 20\.19 or newer, and this is Node 18\.20\.4: .*\n$/,
    )
    const platform = await clone.setUp({ NODE_OPTIONS: pretend('arch', 'riscv64') })
    assert.equal(platform.code, 1)
    assert.match(platform.stderr, /^simple-audio-service does not run on \w+ riscv64: .*\n$/)
    assert.deepEqual(clone.npmCalls, [])
  })

  it('refuses an option it does not know', async () => {
    const { code, stderr } = await clone.setUp({}, ['--for-test'])
    assert.equal(code, 1)
    assert.match(stderr, /^set-up: the set-up does not know --for-test/)
  })

  it('compiles the addon before the engines with RUNTIME=tensorrt, and at no other time', async () => {
    clone.write('scripts/build-native.js', "console.error('addon compiled')\n")
    clone.write(
      'src/build.ts',
      "export async function buildEngines() { throw Object.assign(new Error('no driver.'), { name: 'SetupError' }) }\n",
    )
    const plain = await clone.setUp({ RUNTIME: undefined })
    assert.doesNotMatch(plain.stderr, /addon/)
    const { code, stderr } = await clone.setUp({ RUNTIME: 'tensorrt' })
    assert.equal(code, 1)
    assert.match(stderr, /^addon compiled\nset-up: addon \d+\.\d s\nno driver\.\n$/m)
  })

  it('stops at an addon that can not be compiled, with that one sentence', async () => {
    clone.write('scripts/build-native.js', "console.error('no compiler.')\nprocess.exitCode = 1\n")
    const { code, stderr } = await clone.setUp({ RUNTIME: 'tensorrt' })
    assert.equal(code, 1)
    assert.match(stderr, /compilation \d+\.\d s\nno compiler\.\n$/)
  })

  it('names the headers that are missing where TensorRT was never installed, and where they are looked for', async () => {
    const env = { RUNTIME: 'tensorrt', TENSORRT_INCLUDE: clone.path('nowhere') }
    const { code, stderr } = await clone.setUp(env)
    assert.equal(code, 1)
    assert.match(
      stderr.trim().split('\n').at(-1)!,
      /^TENSORRT_INCLUDE is .*nowhere, .* NvInfer\.h: .*TensorRT/,
    )
    assert.ok(!clone.has('engines/tensorrt'))
  })

  it('ends with 1 and only the build’s own words when the engines can not be built', async () => {
    clone.write(
      'src/build.ts',
      "export async function buildEngines() { throw Object.assign(new Error('x is gone.'), { name: 'SetupError' }) }\n",
    )
    const { code, stderr } = await clone.setUp()
    assert.equal(code, 1)
    assert.equal(stderr.trim().split('\n').at(-1), 'x is gone.')
  })
})
