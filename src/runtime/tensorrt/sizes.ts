/** The sizes of a run, by symbol: found in its feeds, and fitted to one of the engine's profiles. */
import type { Binding, Feeds, GraphSignature, Profile } from '../session.js'

export type Sizes = Readonly<Record<string, number>>

/** What an engine without open sizes is built with. */
const fixed: Profile = { name: 'fixed', sizes: {} }

/** The profiles in the plan's order. */
export const profilesOf = ({ profiles }: GraphSignature): readonly Profile[] =>
  profiles.length > 0 ? profiles : [fixed]

/** A profile's least, likeliest or most sizes. */
export function extent({ sizes }: Profile, which: 'least' | 'likeliest' | 'most'): Sizes {
  const index = { least: 0, likeliest: 1, most: 2 }[which]
  return Object.fromEntries(Object.entries(sizes).map(([symbol, range]) => [symbol, range[index]!]))
}

/** `size` for every symbol of a profile, or the next number that it takes. */
export function within({ sizes }: Profile, size: number): Sizes {
  const nearest = ([least, , most]: readonly [number, number, number]) =>
    Math.min(Math.max(size, least), most)
  return Object.fromEntries(Object.entries(sizes).map(([symbol, range]) => [symbol, nearest(range)]))
}

/** Dimensions as numbers; null where a symbol has no size. */
export function resolve(dims: Binding['dims'], sizes: Sizes): number[] | null {
  const numbers = dims.map((size) => (typeof size === 'number' ? size : sizes[size]))
  return numbers.every((size) => size !== undefined) ? numbers : null
}

/**
 * What the feeds say about the sizes.
 * @param inputs the tensors that the caller has to feed
 * @param known sizes that are known beside the feeds
 * @throws Error for a feed that is missing, too much, of another type or of other dimensions
 */
export function sizesOf(inputs: readonly Binding[], feeds: Feeds, known: Sizes): Sizes {
  const sizes: Record<string, number> = { ...known }
  for (const { name, dtype, dims } of inputs) {
    const feed = feeds[name]
    if (!feed) throw new Error(`the run lacks the input ${name}`)
    const is = `${feed.dtype} [${feed.dims.join(', ')}]`
    if (feed.dtype !== dtype || feed.dims.length !== dims.length)
      throw new Error(`${name} is ${is}, but the engine takes ${dtype} [${dims.join(', ')}]`)
    const count = feed.dims.reduce((product, size) => product * size, 1)
    if (feed.data.length !== count) throw new Error(`${name} is ${is}, but has ${feed.data.length} values`)
    for (const [axis, size] of dims.entries()) {
      if (typeof size === 'string') sizes[size] ??= feed.dims[axis]!
      const wanted = typeof size === 'number' ? size : sizes[size]
      if (feed.dims[axis] === wanted) continue
      const what = typeof size === 'number' ? '' : ` with ${size} = ${wanted}`
      throw new Error(`${name} is ${is}, but the engine takes ${dtype} [${dims.join(', ')}]${what}`)
    }
  }
  const names = new Set(inputs.map(({ name }) => name))
  const unknown = Object.keys(feeds).filter((name) => !names.has(name))
  if (unknown.length > 0) throw new Error(`the engine has no input ${unknown.join(' and no ')} to feed`)
  return sizes
}

/** The first profile that the sizes fit. @throws Error that names the sizes and every profile's ranges */
export function fittingProfile(profiles: readonly Profile[], sizes: Sizes): number {
  const fits = (profile: Profile) =>
    Object.entries(sizes).every(([symbol, size]) => {
      const range = profile.sizes[symbol]
      return range && size >= range[0] && size <= range[2]
    })
  const index = profiles.findIndex(fits)
  if (index >= 0) return index
  const asked = Object.entries(sizes).map(([symbol, size]) => `${symbol} = ${size}`)
  throw new Error(`no profile takes ${asked.join(', ')}: ${profiles.map(ranges).join('; ')}`)
}

function ranges({ name, sizes }: Profile): string {
  const list = Object.entries(sizes).map(([symbol, [least, , most]]) => `${symbol} ${least} … ${most}`)
  return `${name} has ${list.join(', ') || 'no open sizes'}`
}
