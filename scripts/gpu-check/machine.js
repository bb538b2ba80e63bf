/** What is there: TensorRT, CUDA, the driver, the GPUs. */
import { readConfig } from '../../dist/config.js'
import { openGpu } from '../../dist/runtime/tensorrt/library.js'

const { device, tensorrtLibraries: libraries } = readConfig(process.env)
try {
  const { native } = openGpu({ device, libraries })
  const { tensorrt, parser, cudaRuntime, headers } = native.load(libraries ?? undefined)
  console.log(
    `TensorRT ${tensorrt}, ONNX parser ${parser}, CUDA ${cudaRuntime}, compiled with headers of ${headers}`,
  )
  for (const { index, name, sm, memoryBytes, driver } of native.devices())
    console.log(
      `GPU ${index}: ${name}, SM ${sm}, ${(memoryBytes / 1e9).toFixed(1)} GB, driver for CUDA ${driver}`,
    )
  const { free, total } = native.memory()
  console.log(`GPU ${device} has ${(free / 1e9).toFixed(1)} of ${(total / 1e9).toFixed(1)} GB free`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
