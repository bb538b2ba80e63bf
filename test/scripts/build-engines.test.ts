import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readConfig } from '#src/config.js'
import { root } from '../root.js'
import { Clone } from './clone.js'

describe('scripts/build-engines.js', () => {
  let clone: Clone
  before(() => {
    clone = new Clone()
  })
  after(() => clone.remove())

  /** Puts a build in place of the real one; the configuration is the service's own. */
  function compiled(body: string): void {
    clone.write('dist/build.js', `export async function buildEngines(options) { ${body} }\n`)
    const config = pathToFileURL(join(root, 'dist', 'config.js'))
    clone.write('dist/config.js', `export { readConfig } from '${config.href}'\n`)
  }

  it('names the command that compiles when nothing is compiled', async () => {
    const { code, stderr } = await clone.buildEngines()
    assert.equal(code, 1)
    assert.match(stderr, /^dist\/build\.js is missing: .*npm run build.*\n$/)
  })

  it('hands its options on, and takes those not given as the service does', async () => {
    compiled('console.log(JSON.stringify(options)); return []')
    const names = ['RUNTIME', 'PRECISION', 'CHECKPOINTS', 'ENGINES', 'SLOTS', 'KV_MEMORY', 'DEVICE']
    const unset = Object.fromEntries([...names, 'TENSORRT_LIBRARIES'].map((name) => [name, undefined]))
    const options = async (args: string[], env: Record<string, string | undefined>): Promise<unknown> =>
      JSON.parse((await clone.buildEngines(args, { ...unset, ...env })).stdout)
    const { runtime, precision, checkpoints, engines, slots, device, ...config } = readConfig({})
    const { kvMemory: stateBytes, tensorrtLibraries: libraries } = config
    const unchanged = { runtime, precision, checkpoints, engines, slots, stateBytes, device, libraries }
    assert.deepEqual(await options([], {}), unchanged)
    assert.deepEqual(await options(['--engines', 'e'], { CHECKPOINTS: 'c', ENGINES: 'other' }), {
      ...unchanged,
      checkpoints: 'c',
      engines: 'e',
    })
    assert.deepEqual(await options(['--model', 'a', '--model', 'b', '--checkpoints', 'c'], {}), {
      ...unchanged,
      checkpoints: 'c',
      models: ['a', 'b'],
    })
    const env = { PRECISION: 'int8', SLOTS: '2', KV_MEMORY: '1GB', DEVICE: '1', TENSORRT_LIBRARIES: '/lib' }
    assert.deepEqual(await options(['--runtime', 'tensorrt', '--precision', 'bfloat16'], env), {
      ...unchanged,
      runtime: 'tensorrt',
      precision: 'bfloat16',
      slots: 2,
      stateBytes: 2 ** 30,
      device: 1,
      libraries: '/lib',
    })
    const wrong = await clone.buildEngines(['--runtime', 'abacus'])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /^RUNTIME must be one of [^\n]*\n$/)
  })

  it('prints a line per step and per model away from a terminal', async () => {
    compiled(`
      options.onProgress({ model: 'a', step: 'verify', done: 0, total: 2 })
      options.onProgress({ model: 'a', step: 'verify', done: 2, total: 2 })
      options.onProgress({ model: 'a', step: 'convert', done: 0, total: 2 })
      options.onProgress({ model: 'a', step: 'compile', graph: 'x', done: 0, total: 2000 })
      options.onProgress({ model: 'a', step: 'compile', graph: 'x', done: 500, total: 2000 })
      options.onProgress({ model: 'a', step: 'compile', graph: 'y', done: 1000, total: 2000 })
      options.onProgress({ model: 'a', step: 'done', done: 2, total: 2 })
      options.onProgress({ model: 'b', step: 'up-to-date', done: 1, total: 1 })
      return [
        { model: 'a', status: 'built', seconds: 1.25, bytes: 98e6 },
        { model: 'b', status: 'up-to-date', seconds: 0, bytes: 1 },
      ]`)
    const { code, stderr } = await clone.buildEngines()
    assert.equal(code, 0)
    assert.deepEqual(stderr.trim().split('\n'), [
      'engines: a verify',
      'engines: a convert',
      'engines: a compile x',
      'engines: a compile y',
      'engines: a built in 1.3 s (98 MB)',
      'engines: b up to date',
    ])
  })

  it('says a SetupError in its one sentence, and anything else with its stack', async () => {
    compiled("throw Object.assign(new Error('The file is torn.'), { name: 'SetupError' })")
    assert.deepEqual(await clone.buildEngines(), { code: 1, stdout: '', stderr: 'The file is torn.\n' })
    compiled("throw new TypeError('a bug')")
    const bug = await clone.buildEngines()
    assert.equal(bug.code, 1)
    assert.match(bug.stderr, /TypeError: a bug\n {4}at buildEngines/)
  })

  it('refuses an unknown option in one sentence, and explains itself with --help', async () => {
    const unknown = await clone.buildEngines(['--modle', 'a'])
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^[^\n]*--modle[^\n]*\n$/)
    const help = await clone.buildEngines(['--help'])
    assert.equal(help.code, 0)
    const listed = [...help.stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option)
    const options = [
      '--model',
      '--runtime',
      '--precision',
      '--checkpoints',
      '--engines',
      '--dry-run',
      '--out',
    ]
    assert.deepEqual(listed, [...options, '--help'])
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 120, line)
  })
})
