/** How the layers of a network look back, and how they turn their heads: alike, or in turns of two kinds. */
import { SetupError } from '../../errors.js'
import type { JsonObject } from '../../text/json-file.js'
import { type ModelType, rotates } from './model-types.js'
import type { RopeConfig } from './rope-config.js'

export interface LayerKind {
  /** A row sees itself and the window − 1 rows before it; null: all before it. */
  readonly window: number | null
  /** null: heads are not turned. */
  readonly rope: RopeConfig | null
}

const layerTypes = ['full_attention', 'sliding_attention'] as const
type LayerType = (typeof layerTypes)[number]

/**
 * The kind of every layer.
 * @param sizes.rope reads the rotary settings of a layer type
 * @throws SetupError for layer types and windows that are not implemented
 */
export function layerKinds(
  json: JsonObject,
  type: ModelType,
  { layers, context, rope }: { layers: number; context: number; rope: (layerType: LayerType) => RopeConfig },
  where: string,
): LayerKind[] {
  const window = windowOf(json, type, where)
  const types = listedTypes(json, layers, where)
  const kinds = new Map<string, LayerKind>()
  return Array.from({ length: layers }, (_, layer) => {
    const own: LayerType =
      window !== null && type.slides(json, layer) ? 'sliding_attention' : 'full_attention'
    const layerType = types?.[layer] ?? own
    if (layerType !== own && (type.uniform || window === null))
      throw new SetupError(
        `${where} has layer_types with ${layerType} for layer ${layer}, where ${type.name} with sliding_window ${JSON.stringify(json.sliding_window ?? null)} has ${own}.`,
      )
    const turns = rotates(json, layer)
    const key = `${layerType} ${turns}`
    const kind = kinds.get(key) ?? {
      // One as long as the context hides nothing.
      window: layerType === 'sliding_attention' && window! < context ? window : null,
      rope: turns ? rope(layerType) : null,
    }
    kinds.set(key, kind)
    return kind
  })
}

/** `sliding_window`, unless the type has `use_sliding_window`, too, and that is off. */
function windowOf(json: JsonObject, { defaults }: ModelType, where: string): number | null {
  const window = json.sliding_window ?? null
  const switched = Object.hasOwn(defaults, 'use_sliding_window')
  if (window === null || (switched && json.use_sliding_window !== true)) return null
  if (typeof window === 'number' && Number.isSafeInteger(window) && window > 0) return window
  throw new SetupError(
    `${where} has sliding_window ${JSON.stringify(window)}: a positive whole number is needed, or null.`,
  )
}

function listedTypes(json: JsonObject, layers: number, where: string): readonly LayerType[] | null {
  const listed = json.layer_types ?? null
  if (listed === null) return null
  const other = Array.isArray(listed) && listed.find((type) => !layerTypes.includes(type))
  if (!Array.isArray(listed) || listed.length !== layers || other !== undefined)
    throw new SetupError(
      `${where} has layer_types ${JSON.stringify(other || listed)}: ${layers} of ${layerTypes.join(' and ')} are needed.`,
    )
  return listed
}
