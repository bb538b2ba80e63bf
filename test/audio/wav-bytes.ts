/** Builds WAV files, right ones and wrong ones, byte by byte: independent of the code under test. */

export interface Shape {
  readonly tag?: number
  readonly bits?: number
  readonly channels?: number
  readonly rate?: number
  readonly blockAlign?: number
}

export const u16 = (value: number): Buffer => Buffer.from([value & 0xff, (value >> 8) & 0xff])

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** A chunk with its pad byte; `claimed` is the size it states when that is not its true one. */
export function chunk(id: string, body: Uint8Array, claimed: number = body.length): Buffer {
  return Buffer.concat([Buffer.from(id, 'latin1'), u32(claimed), body, Buffer.alloc(body.length & 1)])
}

/** A RIFF file of these chunks; `claimed` replaces the size it states. */
export function riff(chunks: readonly Uint8Array[], claimed?: number): Buffer {
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks])
  return Buffer.concat([Buffer.from('RIFF'), u32(claimed ?? body.length), body])
}

export function formatBody(shape: Shape = {}): Buffer {
  const { tag = 1, bits = 16, channels = 1, rate = 16000 } = shape
  const blockAlign = shape.blockAlign ?? (channels * bits) / 8
  return Buffer.concat([
    u16(tag),
    u16(channels),
    u32(rate),
    u32(rate * blockAlign),
    u16(blockAlign),
    u16(bits),
  ])
}

const guidTail = Buffer.from('000000001000800000aa00389b71', 'hex')

export interface Extension {
  readonly size?: number
  readonly validBits?: number
  readonly subTag?: number
  readonly tail?: Buffer
}

/** The body of an extensible fmt chunk; `shape.tag` is the sub-format's. */
export function extensibleBody(shape: Shape = {}, extension: Extension = {}): Buffer {
  const bits = shape.bits ?? 16
  return Buffer.concat([
    formatBody({ ...shape, tag: 0xfffe }),
    u16(extension.size ?? 22),
    u16(extension.validBits ?? bits),
    u32(shape.channels === 2 ? 3 : 4),
    u16(extension.subTag ?? shape.tag ?? 1),
    extension.tail ?? guidTail,
  ])
}

export const fmt = (shape: Shape = {}): Buffer => chunk('fmt ', formatBody(shape))

/** A plain WAV: fmt and data, nothing else. */
export const wav = (data: Uint8Array, shape: Shape = {}): Buffer => riff([fmt(shape), chunk('data', data)])

/** Samples as little-endian bytes of one encoding; integers as they are stored, 8-bit ones unsigned. */
export function pack(
  encoding: 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64',
  values: readonly number[],
): Buffer {
  const width = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8 }[encoding]
  const bytes = Buffer.alloc(values.length * width)
  for (const [i, value] of values.entries()) {
    if (encoding === 'u8') bytes.writeUInt8(value, i)
    else if (encoding === 'f32') bytes.writeFloatLE(value, i * 4)
    else if (encoding === 'f64') bytes.writeDoubleLE(value, i * 8)
    else bytes.writeIntLE(value, i * width, width)
  }
  return bytes
}
