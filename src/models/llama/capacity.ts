/** What the memory for keys and values has room for: how many sequences, and how long one may be. */
import { SetupError } from '../../errors.js'
import { LEAST_ROWS } from '../../runtime/session.js'
import type { ModelContext } from '../model.js'
import { bytesPerRow, decoder, decoderState } from './bindings.js'
import type { LlamaConfig } from './config.js'

export interface Capacity {
  /** Sequences that run together. */
  readonly slots: number
  /** Tokens that a prompt and its reply may have in sum. */
  readonly context: number
  /** Tokens of a prompt that one run takes. */
  readonly chunk: number
  /** Bytes of keys and values of one token, and of all that can be there at once. */
  readonly rowBytes: number
  readonly stateBytes: number
}

/** Rows per run of a prompt on a CPU: larger ones are no faster, and between two others are served. */
const CPU_CHUNK = 128

/**
 * On TensorRT slots and rows are the engine's. On ONNX Runtime sequences share the memory: there are SLOTS of them, or
 * fewer where not all could have LEAST_ROWS at the same time, and one alone may have it all.
 * @throws SetupError when the engine is not a decoder, or the memory holds not even two tokens
 */
export function capacityOf(
  { manifest, slots: wanted, stateBytes }: Pick<ModelContext, 'manifest' | 'slots' | 'stateBytes'>,
  config: LlamaConfig,
): Capacity {
  const signature = manifest.graphs[decoder.graph]
  if (!signature)
    throw new SetupError(`The engine ${manifest.model} has no graph ${decoder.graph}: build it again.`)
  const [first] = decoderState(config)
  const short = signature.inputs.some(({ name, dtype }) => name === first!.past && dtype !== 'float32')
  const rowBytes = bytesPerRow(config, short ? 2 : 4)
  const all = Math.floor(stateBytes / rowBytes)
  const context = Math.min(config.context, signature.stateRows, all)
  if (context < 2)
    throw new SetupError(
      `KV_MEMORY of ${stateBytes} bytes holds ${context} tokens of ${rowBytes} bytes each: give the model more memory.`,
    )
  const slots = signature.slots || Math.max(1, Math.min(wanted, Math.floor(all / LEAST_ROWS)))
  const most = Math.max(0, ...signature.profiles.map(({ sizes }) => sizes[decoder.rows]?.[2] ?? 0))
  return {
    slots,
    context,
    chunk: most || CPU_CHUNK,
    rowBytes,
    stateBytes: signature.slots * signature.stateRows * rowBytes || stateBytes,
  }
}
