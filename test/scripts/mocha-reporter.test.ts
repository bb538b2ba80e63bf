import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../root.js'
import { type Ended, run } from './process.js'

describe('scripts/mocha-reporter.cjs', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'simple-audio-service-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Runs our mocha, with our configuration but for the files, on a file of tests. */
  async function mocha(tests: string, env: Record<string, string> = {}): Promise<Ended & { last?: string }> {
    const file = join(folder, 'fixture.cjs')
    writeFileSync(file, tests)
    const args = [
      join('node_modules', 'mocha', 'bin', 'mocha.js'),
      '--config',
      join(folder, 'mocharc.json'),
      file,
    ]
    writeFileSync(join(folder, 'mocharc.json'), JSON.stringify({ reporter: 'scripts/mocha-reporter.cjs' }))
    const ended = await run(args, { cwd: root, env })
    assert.ok(ended.stdout.endsWith('\n'))
    const last = ended.stdout.trimEnd().split('\n').at(-1)
    return { ...ended, ...(last === undefined ? {} : { last }) }
  }

  it('ends with the three counts', async () => {
    const { code, last, stdout } = await mocha(`
      it('one', () => {})
      it('two', () => {})
      it('three', () => { throw new Error('wrong') })
      it.skip('four', () => {})
      it.skip('five', () => {})
      it('six', function () { this.skip() })`)
    assert.equal(last, '2 passed, 1 failed, 3 skipped')
    assert.equal(code, 1)
    assert.match(stdout, /Error: wrong/)
  })

  it('lets skipped tests pass, unless REQUIRE_ALL=1', async () => {
    const tests = `
      it('one', () => {})
      describe('group', () => { it('two') })`
    const plain = await mocha(tests)
    assert.equal(plain.code, 0, plain.stderr)
    assert.equal(plain.last, '1 passed, 0 failed, 1 skipped')
    const strict = await mocha(tests, { REQUIRE_ALL: '1' })
    assert.equal(strict.code, 1)
    assert.equal(strict.last, '1 passed, 0 failed, 1 skipped')
    assert.match(strict.stdout, /Skipped, .*\n {2}group two\n/)
    assert.equal((await mocha("it('one', () => {})", { REQUIRE_ALL: '1' })).code, 0)
  })

  it('fails when no test ran', async () => {
    const { code, last } = await mocha('')
    assert.equal(code, 1)
    assert.equal(last, '0 passed, 0 failed, 0 skipped')
  })
})
