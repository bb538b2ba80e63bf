/** Which tensors a checkpoint of a configuration must have: checked before anything is built of them. */
import type { Checkpoint } from '../../../checkpoint/checkpoint.js'
import { SetupError } from '../../../errors.js'
import type { LlamaConfig } from '../config.js'

/** Every tensor by its name, with its sizes: [outputs, inputs], or those of a vector. */
function expectedTensors(config: LlamaConfig): Map<string, readonly number[]> {
  const { hidden, intermediate, heads, kvHeads, headDim, biases, fused } = config
  const tensors = new Map<string, readonly number[]>()
  const linear = (name: string, outputs: number, inputs: number, bias: boolean) => {
    tensors.set(`${name}.weight`, [outputs, inputs])
    if (bias) tensors.set(`${name}.bias`, [outputs])
  }
  const norm = (name: string, width: number) => tensors.set(`${name}.weight`, [width])
  linear('model.embed_tokens', config.vocabulary, hidden, false)
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`
    const [attention, mlp] = [`${at}.self_attn`, `${at}.mlp`]
    norm(`${at}.input_layernorm`, hidden)
    if (fused) {
      linear(`${attention}.qkv_proj`, (heads + 2 * kvHeads) * headDim, hidden, biases.qkv)
      linear(`${mlp}.gate_up_proj`, 2 * intermediate, hidden, biases.mlp)
    } else {
      linear(`${attention}.q_proj`, heads * headDim, hidden, biases.qkv)
      for (const name of ['k_proj', 'v_proj'])
        linear(`${attention}.${name}`, kvHeads * headDim, hidden, biases.qkv)
      for (const name of ['gate_proj', 'up_proj']) linear(`${mlp}.${name}`, intermediate, hidden, biases.mlp)
    }
    for (const name of config.headNorms ? ['q_norm', 'k_norm'] : []) norm(`${attention}.${name}`, headDim)
    linear(`${attention}.o_proj`, hidden, heads * headDim, biases.output)
    norm(`${at}.post_attention_layernorm`, hidden)
    if (config.branchNorms)
      for (const name of ['pre', 'post']) norm(`${at}.${name}_feedforward_layernorm`, hidden)
    linear(`${mlp}.down_proj`, hidden, intermediate, biases.mlp)
  }
  norm('model.norm', hidden)
  if (config.tied === false) linear('lm_head', config.vocabulary, hidden, false)
  return tensors
}

/**
 * A missing tensor, one of other sizes, or a bias that config.json does not announce is a sign of another network.
 * @param weights under Hugging Face's names
 * @throws SetupError naming the tensor
 */
export function checkTensors(weights: Checkpoint, config: LlamaConfig): void {
  const expected = expectedTensors(config)
  for (const [name, dims] of expected) {
    if (!weights.has(name))
      throw new SetupError(
        `The checkpoint lacks ${name}, which a ${config.modelType} of its config.json has.`,
      )
    const actual = weights.tensor(name).dims
    if (`${actual}` !== `${dims}`)
      throw new SetupError(`The checkpoint's ${name} is [${actual}], but by its config.json it is [${dims}].`)
  }
  const bias = weights.names.find(
    (name) => /^(model\.(layers|norm)|lm_head)\..*bias$/.test(name) && !expected.has(name),
  )
  if (bias !== undefined)
    throw new SetupError(`The checkpoint has ${bias}, but config.json says that there are no such biases.`)
}
