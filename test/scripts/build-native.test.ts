import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../root.js'
import { type Ended, run } from './process.js'

type Environment = Record<string, string | undefined>
interface Options {
  environment: Environment
  sanitize?: string
  strict?: boolean
}
interface Script {
  nativeIsFresh(root: string, environment: Environment): boolean
  buildNative(
    root: string,
    options: Options,
  ): Promise<{ addon: string; tensorrtVersion: string; cudaVersion: string; compiled: number }>
}

const hasCompiler = spawnSync(process.env.CXX ?? 'c++', ['--version']).status === 0

describe('scripts/native/build.js', () => {
  let script: Script
  let folder: string
  before(async function () {
    if (process.platform !== 'linux') this.skip()
    script = (await import(pathToFileURL(join(root, 'scripts', 'native', 'build.js')).href)) as Script
  })
  beforeEach(() => {
    // a repository with an addon of two small sources, and headers that tell nothing but their versions
    folder = mkdtempSync(join(tmpdir(), 'build-native-'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    write('native/src/one.cc', '#include "both.h"\nint one() { return both; }\n')
    write('native/src/two.cc', '#include "both.h"\nint two() { return both; }\n')
    write('native/src/both.h', 'constexpr int both = 2;\n')
    for (const name of ['NvInfer.h', 'NvInferRuntime.h', 'NvOnnxParser.h']) write(`include/${name}`, '')
    versions({ major: 11, cuda: 13030 })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }

  /** As NVIDIA writes them: one macro is the other. */
  function versions({ major, cuda }: { major: number; cuda: number }): void {
    const numbers = { MAJOR: major, MINOR: 2, PATCH: 1, BUILD: 106 }
    const lines = Object.entries(numbers).flatMap(([part, number]) => [
      `#define TRT_${part}_ENTERPRISE ${number}`,
      `#define NV_TENSORRT_${part} TRT_${part}_ENTERPRISE //!< TensorRT's version.`,
    ])
    write('include/NvInferVersion.h', lines.join('\n'))
    write('include/cuda_runtime_api.h', `#define CUDART_VERSION  ${cuda}\n`)
  }

  const environment = (changes: Environment = {}): Environment => ({
    CXX: process.env.CXX,
    TENSORRT_INCLUDE: join(folder, 'include'),
    CUDA_INCLUDE: join(folder, 'include'),
    ...changes,
  })
  const build = (changes?: Environment, options: Omit<Options, 'environment'> = {}) =>
    script.buildNative(folder, { environment: environment(changes), ...options })
  const fresh = (): boolean => script.nativeIsFresh(folder, environment())

  for (const [what, changes, sentence] of [
    [
      'a folder without TensorRT’s headers',
      { TENSORRT_INCLUDE: '/none' },
      /^TENSORRT_INCLUDE is \/none, but there is no NvInfer\.h: set it to the folder of the headers of TensorRT 11$/,
    ],
    [
      'a folder without CUDA’s headers',
      { CUDA_INCLUDE: '/none' },
      /^CUDA_INCLUDE is \/none, but there is no cuda_runtime_api\.h: /,
    ],
    [
      'no compiler',
      { CXX: '/none/g++' },
      /^the C\+\+ compiler \/none\/g\+\+ was not found: install one with apt install g\+\+, or set CXX to yours$/,
    ],
    ['a compiler of old', { CXX: 'false' }, /^false does not compile C\+\+17: install a newer one/],
  ] as const)
    it(`says what to do about ${what}`, async () => {
      await assert.rejects(build(changes), (error: Error) => sentence.test(error.message))
    })

  it('takes no other major version of TensorRT', async () => {
    versions({ major: 10, cuda: 13030 })
    const sentence =
      /are TensorRT 10\.2\.1\.106, but the addon needs 11: install libnvinfer-dev of TensorRT 11/
    await assert.rejects(build(), sentence)
    assert.throws(fresh, sentence)
  })

  it('says that headers do not tell their version', async () => {
    write('include/NvInferVersion.h', '#define NV_TENSORRT_MAJOR NV_TENSORRT_MAJOR\n')
    await assert.rejects(build(), /NvInferVersion\.h does not tell NV_TENSORRT_MAJOR/)
  })

  it('names what npm has not installed', async () => {
    rmSync(join(folder, 'node_modules'))
    await assert.rejects(build(), /node_modules\/node-addon-api is not installed: run npm ci --include=dev/)
  })

  describe('with a compiler', () => {
    before(function () {
      if (!hasCompiler) this.skip()
    })

    it('compiles what changed, and nothing else', async () => {
      assert.ok(!fresh())
      const first = await build()
      assert.equal(first.addon, join(folder, 'native/build/tensorrt.node'))
      assert.ok(statSync(first.addon).size > 0)
      assert.deepEqual([first.tensorrtVersion, first.cudaVersion, first.compiled], ['11.2.1.106', '13.3', 2])
      assert.ok(fresh())
      assert.equal((await build()).compiled, 0)
      write('native/src/one.cc', '#include "both.h"\nint one() { return both + 1; }\n')
      assert.ok(!fresh())
      assert.equal((await build()).compiled, 1)
      write('native/src/both.h', 'constexpr int both = 222;\n')
      assert.equal((await build()).compiled, 2)
      versions({ major: 11, cuda: 13040 })
      assert.ok(!fresh())
      assert.equal((await build()).compiled, 2)
      assert.ok(fresh())
    })

    /** `npm run build:native` in that repository. */
    function command(...args: string[]): Promise<Ended> {
      cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
      return run(['scripts/build-native.js', ...args], { cwd: folder, env: environment() })
    }

    it('does not leave an addon of older sources that passes for a new one', async () => {
      const first = await command()
      assert.equal(first.code, 0)
      assert.match(
        first.stderr,
        /tensorrt\.node built \(headers of TensorRT 11\.2\.1\.106 and CUDA 13\.3\)\n$/,
      )
      assert.match((await command()).stderr, /tensorrt\.node is up to date/)
      write('native/src/one.cc', 'int one() { return nothing; }\n')
      const { code, stderr } = await command()
      assert.equal(code, 1)
      assert.match(stderr, /‘?nothing’? was not declared|undeclared identifier/)
      assert.match(stderr, /\nnative\/src\/one\.cc does not compile with these headers: .*above\n$/)
      assert.ok(!fresh())
      rmSync(join(folder, 'native/src/one.cc'))
      assert.equal((await build()).compiled, 0)
      assert.ok(fresh())
    })

    it('takes warnings for errors if asked, and another folder', async () => {
      write('native/src/one.cc', 'int one(int unused) { return 1; }\n')
      const { code, stderr } = await command('--strict', '--out', 'elsewhere')
      assert.equal(code, 1)
      assert.match(stderr, /unused/)
      assert.ok(!existsSync(join(folder, 'elsewhere/tensorrt.node')))
      assert.equal((await command('--out', 'elsewhere')).code, 0)
      assert.ok(existsSync(join(folder, 'elsewhere/tensorrt.node')))
      assert.ok(!existsSync(join(folder, 'native/build')))
    })
  })
})
