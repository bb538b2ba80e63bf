import assert from 'node:assert/strict'
import { hasInt8Matrices } from '#src/graph/processor.js'

const cpuinfo = (flags: string) =>
  `processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: ${flags}\nbugs\t\t: spectre_v1\n`

describe('graph/processor', () => {
  it('knows a unit for int8 matrices by its flag', () => {
    assert.equal(hasInt8Matrices(cpuinfo('fpu amx_bf16 amx_tile amx_int8 avx512_vnni')), true)
    assert.equal(hasInt8Matrices(cpuinfo('fpu amx_bf16 avx512_vnni')), false)
    assert.equal(hasInt8Matrices(`${cpuinfo('fpu')}amx_int8\n`), false)
    assert.equal(hasInt8Matrices(''), false)
  })

  it('answers for this machine', () => {
    assert.equal(typeof hasInt8Matrices(), 'boolean')
  })
})
