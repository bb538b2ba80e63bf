/** Engines for ONNX Runtime as they are by default. */
export const cpu = {
  runtime: 'onnxruntime',
  precision: null,
  slots: 8,
  stateBytes: 2 ** 29,
  device: 0,
  libraries: null,
} as const
