#!/usr/bin/env node
/** Builds the TensorRT addon: the command line of native/build.js. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildNative } from './native/build.js'
import { Failure } from './setup/child.js'

const usage = `Usage: npm run build:native -- [options]

Compiles native/ to native/build/tensorrt.node; what is up to date stays as it is.

  --out DIR         where tensorrt.node goes                  [native/build]
  --sanitize NAMES  with the compiler's sanitizers, as address,undefined
  --strict          warnings are errors
  --help            this text

The environment names the compiler (CXX) and the folders of NvInfer.h (TENSORRT_INCLUDE) and
cuda_runtime_api.h (CUDA_INCLUDE) if they are not where apt puts them.
`

const root = fileURLToPath(new URL('..', import.meta.url))

try {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      sanitize: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) process.stdout.write(usage)
  else await build(values)
} catch (error) {
  const isSentence = error instanceof Failure || error.code?.startsWith('ERR_PARSE_ARGS')
  console.error(isSentence ? error.message : error)
  process.exitCode = 1
}

async function build({ out, sanitize, strict }) {
  const options = { strict, ...(out && { out: resolve(out) }), ...(sanitize && { sanitize }) }
  const { addon, tensorrtVersion, cudaVersion, compiled } = await buildNative(root, options)
  const headers = `headers of TensorRT ${tensorrtVersion} and CUDA ${cudaVersion}`
  console.error(`${addon} ${compiled === 0 ? 'is up to date' : 'built'} (${headers})`)
}
