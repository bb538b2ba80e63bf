/** The tokens that end a reply. */
import { join } from 'node:path'
import { SetupError } from '../../errors.js'
import { isObject, type JsonObject, readJsonObject } from '../../text/json-file.js'
import type { TokenVocabulary } from '../../text/token-vocabulary.js'

/**
 * The ends that generation_config.json, config.json and the tokenizer name: chat models spread them over the three.
 * @param generation the parsed generation_config.json
 * @param rows tokens that the network has: an end beyond them can not come
 * @throws SetupError where there is none that can come
 */
export function stopTokens(
  folder: string,
  tokenizer: Pick<TokenVocabulary, 'id'>,
  generation: JsonObject,
  rows: number,
): ReadonlySet<number> {
  const ids = [generation, readJsonObject(folder, 'config.json')].flatMap((file) => file.eos_token_id)
  const { eos_token: eos } = readJsonObject(folder, 'tokenizer_config.json')
  const text = isObject(eos) ? eos.content : eos
  if (typeof text === 'string') ids.push(tokenizer.id(text))
  const named = [...new Set(ids.filter((id) => typeof id === 'number'))]
  const stops = named.filter((id) => Number.isInteger(id) && id >= 0 && id < rows)
  if (stops.length > 0) return new Set(stops)
  const path = join(folder, 'config.json')
  throw new SetupError(
    named.length === 0
      ? `${path} names no eos_token_id: replies would never end.`
      : `${path} and the files beside it name the eos_token_id ${named.join(', ')}, but the network has ${rows} tokens, counted from 0: replies would never end; take all files from one checkpoint.`,
  )
}
