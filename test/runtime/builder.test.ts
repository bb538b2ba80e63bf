import assert from 'node:assert/strict'
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Family } from '#src/runtime/manifest.js'
import { root } from '../root.js'

describe('runtime/builder', () => {
  let folder: string
  let identity: (family: Family) => string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'builder-'))
    cpSync(join(root, 'dist'), folder, { recursive: true })
    const copy = (await import(pathToFileURL(join(folder, 'runtime/builder.js')).href)) as {
      builderIdentity: typeof identity
    }
    identity = copy.builderIdentity
  })
  after(() => rmSync(folder, { recursive: true }))

  const all = () => ({ whisper: identity('whisper'), llama: identity('llama'), kokoro: identity('kokoro') })
  const edit = (module: string) => appendFileSync(join(folder, module), '\n// changed\n')

  it('tells each family and stays the same', () => {
    const before = all()
    for (const text of Object.values(before)) assert.match(text, /^[0-9a-f]{16}$/)
    assert.equal(new Set(Object.values(before)).size, 3)
    assert.deepEqual(all(), before)
  })

  it('changes with the code that shapes the engine, near or far', () => {
    for (const module of [
      'build',
      'build/families',
      'build/profiles',
      'models/plan',
      'graph/onnx',
      'graph/ops',
      'checkpoint/checkpoint',
      'checkpoint/gguf',
    ]) {
      const before = all()
      edit(`${module}.js`)
      const changed = all()
      for (const family of ['whisper', 'llama', 'kokoro'] as const)
        assert.notEqual(changed[family], before[family], `${module} counts for ${family}`)
    }
  })

  it('changes for one family only with its own code', () => {
    const before = all()
    edit('models/kokoro/bindings.js')
    const { kokoro, ...others } = all()
    assert.notEqual(kokoro, before.kokoro)
    assert.deepEqual(others, { whisper: before.whisper, llama: before.llama })
  })

  it('does not change with code that only serves', () => {
    const before = all()
    for (const module of [
      'main.js',
      'http/app.js',
      'models/kokoro/speak.js',
      'models/llama/generate.js',
      'audio/wav.js',
    ])
      edit(module)
    assert.deepEqual(all(), before)
  })
})
