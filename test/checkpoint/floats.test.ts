import assert from 'node:assert/strict'
import { toFloats, widenBrain, widenHalf } from '#src/checkpoint/floats.js'

/** By the definition of binary16, not by bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

const bitsOf = (floats: Float32Array) => new Uint32Array(floats.buffer, floats.byteOffset, floats.length)

describe('checkpoint/floats', () => {
  it('widens every binary16 exactly: normal, subnormal, zeros of both signs, infinities, NaN', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const wide = widenHalf(all)
    for (const bits of all)
      if (!Object.is(wide[bits], half(bits))) assert.fail(`0x${bits.toString(16)}: ${wide[bits]}`)
  })

  it('keeps the sign and payload of NaN', () => {
    assert.deepEqual([...bitsOf(widenHalf(Uint16Array.of(0x7e01, 0xfc01)))], [0x7fc02000, 0xff802000])
    assert.deepEqual([...bitsOf(widenBrain(Uint16Array.of(0x7f81, 0xffc0)))], [0x7f810000, 0xffc00000])
  })

  it('widens bfloat16: one, minus two, the least subnormal, infinities, zeros', () => {
    const wide = widenBrain(Uint16Array.of(0x3f80, 0xc000, 0x0001, 0x7f80, 0xff80, 0x8000, 0x4049))
    assert.deepEqual(
      [...wide],
      [1, -2, 2 ** -133, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 3.140625],
    )
  })

  it('reads integers and doubles', () => {
    const bytes = (...values: number[]) => Uint8Array.from(values)
    assert.deepEqual([...toFloats('I8', bytes(255, 128, 127))], [-1, -128, 127])
    assert.deepEqual([...toFloats('U8', bytes(255, 0))], [255, 0])
    assert.deepEqual([...toFloats('I16', bytes(254, 255))], [-2])
    assert.deepEqual([...toFloats('U32', bytes(0, 0, 0, 128))], [2 ** 31])
    assert.deepEqual([...toFloats('I64', bytes(253, 255, 255, 255, 255, 255, 255, 255))], [-3])
    assert.deepEqual([...toFloats('F64', bytes(0, 0, 0, 0, 0, 0, 248, 63))], [1.5])
  })
})
