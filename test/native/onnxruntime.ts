/** Where the stand-in finds ONNX Runtime to run true ONNX models with: in the Node binding's package. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'

/** The path of libonnxruntime.so for FAKE_TRT_ONNXRUNTIME. */
export function onnxRuntimeLibrary(): string {
  const bin = join(root, 'node_modules', 'onnxruntime-node', 'bin')
  const binding = readdirSync(bin).find((name) => name.startsWith('napi-'))
  if (!binding) throw new Error(`onnxruntime-node has no binding in ${bin}: run npm ci`)
  return join(bin, binding, process.platform, process.arch, 'libonnxruntime.so.1')
}

/** Lets this process's stand-in, and those of its children, run true ONNX models. */
export function useOnnxRuntime(): void {
  process.env.FAKE_TRT_ONNXRUNTIME = onnxRuntimeLibrary()
}
