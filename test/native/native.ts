/** The compiled addon on the stand-in SDK, ready for a test, and the few things that every test does with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  BuildOptions,
  DeviceBuffer,
  Engine,
  Native,
  NativeErrorCode,
  OptimizationProfile,
  PinnedBuffer,
  Stream,
} from '#src/runtime/addon.js'
import { currentBuild } from './toolchain.js'

/** The addon without its libraries. */
export async function addon(): Promise<Native> {
  return createRequire(import.meta.url)((await currentBuild()).addon) as Native
}

/** The addon with its libraries on the stand-in's GPU. */
export async function openNative(): Promise<Native> {
  const native = await addon()
  native.load((await currentBuild()).sdk)
  native.setDevice(0)
  return native
}

/** Of the first process: those that it starts, and threads, have folders within, in which a build may still be at work. */
const parent = process.env.NATIVE_FILES
const folder = mkdtempSync(join(parent ?? tmpdir(), 'native-'))
if (parent === undefined) {
  process.env.NATIVE_FILES = folder
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
}
let files = 0

/** A path for a new file that is removed at the end. */
export const newPath = (ending: string): string => join(folder, `${files++}.${ending}`)

/** Writes a tiny program (its words are in sdk/README.md) to where an .onnx file would be. */
export function writeProgram(...lines: string[]): string {
  const path = newPath('onnx')
  writeFileSync(path, lines.join('\n'))
  return path
}

export const buildOptions = (
  onnx: string,
  profiles: readonly OptimizationProfile[] = [],
  more: Partial<BuildOptions> = {},
): BuildOptions => ({ onnx, plan: newPath('plan'), profiles, tf32: false, ...more })

/** Builds a program and reads its plan. */
export async function makeEngine(
  native: Native,
  program: readonly string[],
  profiles: readonly OptimizationProfile[] = [],
): Promise<Engine> {
  const options = buildOptions(writeProgram(...program), profiles)
  await native.build(options).done
  return native.loadEngine(options.plan)
}

export const sized = (min: number[], opt: number[], max: number[]) => ({ min, opt, max })

/** Device memory that holds `values`, and has them when this returns. */
export function onDevice(native: Native, stream: Stream, values: Float32Array | Int32Array): DeviceBuffer {
  const device = new native.DeviceBuffer(values.byteLength)
  write(native, stream, device, values)
  return device
}

export function write(
  native: Native,
  stream: Stream,
  device: DeviceBuffer,
  values: Float32Array | Int32Array,
): void {
  const pinned = new native.PinnedBuffer(values.byteLength)
  new Uint8Array(pinned.array).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  stream.upload(device, 0, pinned, 0, values.byteLength)
  stream.synchronize()
  pinned.dispose()
}

/** Kept, because freeing page-locked memory waits for the work of all streams. */
const staging = new Map<number, PinnedBuffer>()

/** The floats in device memory, after all work of the stream. Waits for no other stream. */
export function read(native: Native, stream: Stream, device: DeviceBuffer, bytes = device.bytes): number[] {
  const pinned = staging.get(bytes) ?? new native.PinnedBuffer(bytes)
  staging.set(bytes, pinned)
  stream.download(pinned, 0, device, 0, bytes)
  stream.synchronize()
  return Array.from(new Float32Array(pinned.array))
}

/** For assert.throws and assert.rejects: a NativeError of this code whose message matches. */
export const failure = (code: NativeErrorCode, message: RegExp) => (error: unknown) => {
  if (!(error instanceof Error) || !('code' in error)) return false
  if (error.code === code && message.test(error.message)) return true
  throw new Error(`expected ${code} ${message}, but it is ${String(error.code)}: ${error.message}`)
}
