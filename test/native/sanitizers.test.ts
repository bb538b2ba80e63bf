/** All the other native tests again, with addon and stand-in compiled with AddressSanitizer and UBSan. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'
import { run } from '../scripts/process.js'
import { runChild } from './child.js'
import { buildNative, describeNative } from './toolchain.js'

const tests = join(root, 'dist-test', 'native')
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')

/** A library of the compiler's, which has to be there before Node itself. */
function compilerFile(name: string): string {
  const path = spawnSync(process.env.CXX ?? 'g++', [`-print-file-name=${name}`], {
    encoding: 'utf8',
  }).stdout.trim()
  assert.ok(path.startsWith('/'), `the compiler has no ${name}: install its sanitizers`)
  return path
}

describeNative('sanitizers', () => {
  let build: string
  before(async function () {
    this.timeout(1_200_000)
    build = await buildNative(true)
  })

  it('are compiled in', async () => {
    const { code, stderr } = await runChild('allocate', { env: { NATIVE_BUILD: build } })
    assert.notEqual(code, 0)
    assert.match(stderr, /ASan runtime does not come first/)
  })

  it('find nothing', async function () {
    this.timeout(1_200_000)
    const own = import.meta.url.slice(import.meta.url.lastIndexOf('/') + 1)
    const files = readdirSync(tests).filter((name) => name.endsWith('.test.js') && name !== own)
    assert.ok(files.length > 5)
    const args = [
      mocha,
      '--no-config',
      '--reporter',
      'json',
      '--exit',
      ...files.map((name) => join(tests, name)),
    ]
    const { code, stdout, stderr } = await run(args, {
      cwd: root,
      env: {
        NATIVE_BUILD: build,
        // Late work on the device shows who does not wait for it.
        FAKE_CUDA_DELAY_US: '300',
        LD_PRELOAD: `${compilerFile('libasan.so')}:${compilerFile('libubsan.so')}`,
        // Node frees little at its end; the stand-in counts what we leave. A report ends a process with 99.
        ASAN_OPTIONS: 'detect_leaks=0:exitcode=99:abort_on_error=0',
        UBSAN_OPTIONS: 'print_stacktrace=1:exitcode=99',
      },
    })
    assert.equal(code, 0, `${stdout}\n${stderr}`)
    assert.equal(stderr, '')
    const { stats } = JSON.parse(stdout) as { stats: { passes: number; failures: number; pending: number } }
    assert.deepEqual([stats.failures, stats.pending], [0, 0])
    assert.ok(stats.passes > 80, `${stats.passes} tests ran`)
  })
})
