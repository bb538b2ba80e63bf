/** The place of an engine while it is made. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '#src/build/folder.js'
import { SetupError } from '#src/errors.js'

describe('build/folder', () => {
  let parent = ''
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'engines-'))
  })
  afterEach(() => rmSync(parent, { recursive: true }))

  it('leaves the engine that was there where the disk is full, and says so', async () => {
    const folder = join(parent, 'model')
    mkdirSync(folder)
    writeFileSync(join(folder, 'old'), '')
    const making = (code: string) =>
      makeFolder(folder, async (building) => {
        writeFileSync(join(building, 'new'), '')
        throw Object.assign(new Error(code), { code, syscall: 'write' })
      })
    await assert.rejects(making('ENOSPC'), (error: unknown) => {
      assert.ok(error instanceof SetupError)
      assert.match(error.message, /^The engine can not be put into .* \(ENOSPC\): there is no space left\./)
      return true
    })
    await assert.rejects(making('EBADF'), { name: 'Error', message: 'EBADF' })
    assert.deepEqual([readdirSync(parent), readdirSync(folder)], [['model'], ['old']])
  })
})
