import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasInt8Matrices } from '#src/graph/processor.js'
import { newFolder } from '../models/engine.js'

const cpuinfo = (flags: string) =>
  `processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: ${flags}\nbugs\t\t: spectre_v1\n`

describe('graph/processor', () => {
  const described = (text: string): boolean => {
    const path = join(newFolder(), 'cpuinfo')
    writeFileSync(path, text)
    return hasInt8Matrices(path)
  }

  it('knows a unit for int8 matrices by its flag', () => {
    assert.equal(described(cpuinfo('fpu amx_bf16 amx_tile amx_int8 avx512_vnni')), true)
    assert.equal(described(cpuinfo('fpu amx_bf16 avx512_vnni')), false)
    assert.equal(described(`${cpuinfo('fpu')}amx_int8\n`), false)
    assert.equal(described(''), false)
  })

  it('answers no where the system does not tell', () => {
    assert.equal(hasInt8Matrices(join(newFolder(), 'cpuinfo')), false)
  })

  it('asks the system that it runs on', function () {
    if (!existsSync('/proc/cpuinfo')) this.skip()
    const first = readFileSync('/proc/cpuinfo', 'utf8').split('\n\n')[0]!
    const flags = /^flags[\t ]*:(.*)$/m.exec(first)?.[1]?.split(' ') ?? []
    assert.equal(hasInt8Matrices(), flags.includes('amx_int8'))
  })
})
