/** Walks the imports of src/ against the arrows of the architecture. A type import has no effect at run time. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from './root.js'

const src = join(root, 'src')
const modules = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))

interface Import {
  readonly to: string
  readonly typeOnly: boolean
}
const imports = new Map<string, Import[]>(modules.map((path) => [path, importsOf(path)]))

function importsOf(path: string): Import[] {
  const code = readFileSync(join(src, path), 'utf8')
  const found = [...code.matchAll(/^(?:import|export)\s([^'"`;]*?from\s)?'(\.[^']+)'/gms)]
  const dynamic = [...code.matchAll(/\bimport\(\s*'(\.[^']+)'/g)].map(
    ([, to]) => [undefined, '', to] as const,
  )
  return [...found, ...dynamic].map(([, clause = '', to]) => {
    const names = /\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? ['value']
    const target = relative(src, join(src, dirname(path), to!)).replaceAll('\\', '/')
    const typeOnly =
      clause.startsWith('type ') || names.every((name) => name === '' || name.startsWith('type '))
    return { to: target.replace(/\.js$/, '.ts'), typeOnly }
  })
}

const buildHalf = /^models\/[^/]+\/(build\.ts|(weights|graph)(\.ts|\/))|^models\/plan\.ts$/
/** Every room: which modules belong to it, what it may import beside itself and errors.ts, and what as types only. */
const rooms: { room: string; of: RegExp; may: RegExp; types?: RegExp }[] = [
  { room: 'errors', of: /^errors\.ts$/, may: /^$/ },
  { room: 'config', of: /^config\.ts$/, may: /^runtime\/manifest\.ts$/ },
  // What a checkpoint gives and a graph takes: each knows this, and neither the other.
  { room: 'weight numbers', of: /^weight-numbers\.ts$/, may: /^$/ },
  { room: 'graph', of: /^graph\//, may: /^weight-numbers\.ts$/ },
  { room: 'decoding', of: /^decoding\//, may: /^$/ },
  { room: 'text', of: /^text\//, may: /^$/ },
  // What a reply must be; knows tokens as bytes, and neither models nor requests.
  { room: 'grammar', of: /^grammar\//, may: /^$/ },
  { room: 'audio', of: /^audio\//, may: /^$/ },
  { room: 'checkpoint', of: /^checkpoint\//, may: /^weight-numbers\.ts$/ },
  { room: 'runtime', of: /^runtime\//, may: /^$/ },
  {
    room: 'models (build half)',
    of: buildHalf,
    may: /^(graph|checkpoint)\/|^models\/plan\.ts$|^(runtime\/manifest|weight-numbers)\.ts$/,
    types: /^runtime\/session\.ts$/,
  },
  {
    room: 'models (run half)',
    of: /^models\//,
    may: /^(decoding|grammar|text)\/|^runtime\/(session|event-queue)\.ts$|^models\/model\.ts$/,
    types: /^runtime\/manifest\.ts$/,
  },
  { room: 'worker', of: /^worker\.ts$/, may: /^(models|runtime)\// },
  { room: 'build', of: /^build(\.ts$|\/)/, may: /^(models|graph|checkpoint|runtime)\// },
  // A model that can not be built is refused before it is fetched, by what builds it.
  { room: 'hub', of: /^hub\//, may: /^(build|checkpoint|runtime)\// },
  { room: 'assistant', of: /^assistant\//, may: /^(runtime|text|audio)\//, types: /^models\// },
  { room: 'http', of: /^http\//, may: /^(assistant|audio)\// },
  { room: 'admin', of: /^admin\//, may: /^assistant\/(admission|info)\.ts$/ },
  { room: 'greeting', of: /^greeting\.ts$/, may: /^$/, types: /^assistant\/|^config\.ts$/ },
  { room: 'main', of: /^main\.ts$/, may: /^(assistant|http|admin)\/|^(config|greeting)\.ts$/ },
]
const family = (path: string) => /^models\/([^/]+)\//.exec(path)?.[1]

function complaint(from: string, { to, typeOnly }: Import): string | undefined {
  const room = rooms.find(({ of }) => of.test(from))!
  const sameRoom = rooms.find(({ of }) => of.test(to)) === room
  const halves = family(from) !== undefined && family(from) === family(to) && !buildHalf.test(to)
  if (family(from) && family(to) && family(from) !== family(to))
    return `${from} imports another family: ${to}`
  if (sameRoom || halves || (to === 'errors.ts' && !/^(graph|decoding)\//.test(from))) return undefined
  if (room.may.test(to) || (typeOnly && room.types?.test(to))) return undefined
  return `${from} (${room.room}) imports ${to}${typeOnly ? ' (types)' : ''}`
}

/** All modules that are loaded with one. */
function reachable(start: string, seen = new Set<string>()): Set<string> {
  if (seen.has(start)) return seen
  seen.add(start)
  for (const { to, typeOnly } of imports.get(start) ?? []) if (!typeOnly) reachable(to, seen)
  return seen
}

describe('the layering of src/', () => {
  it('finds the imports it is to judge', () => {
    assert.ok(modules.length > 60, `${modules.length} modules`)
    assert.ok(imports.get('main.ts')!.some(({ to }) => to === 'http/app.ts'))
    assert.deepEqual(
      imports.get('assistant/info.ts')!.map(({ typeOnly }) => typeOnly),
      [true],
    )
    for (const [from, list] of imports)
      for (const { to } of list)
        assert.ok(modules.includes(to) || to.endsWith('.d.ts'), `${from} imports ${to}`)
  })

  it('gives every module a room', () => {
    assert.deepEqual(
      modules.filter((path) => !rooms.some(({ of }) => of.test(path))),
      [],
    )
  })

  it('follows the arrows, never up or sideways', () => {
    const complaints = modules.flatMap((from) => imports.get(from)!.map((edge) => complaint(from, edge)))
    assert.deepEqual(
      complaints.filter((text) => text !== undefined),
      [],
    )
  })

  it('has no cycles', () => {
    const cyclic = modules.filter((path) =>
      imports.get(path)!.some(({ to, typeOnly }) => !typeOnly && reachable(to).has(path)),
    )
    assert.deepEqual(cyclic, [])
  })

  it('keeps the build half off the request path', () => {
    const edges = modules.filter((path) => /^(worker|main)\.ts$|^(assistant|http|admin)\//.test(path))
    for (const start of edges) {
      const built = [...reachable(start)].filter(
        (path) => /^(graph|checkpoint|build|hub)\/|^build\.ts$/.test(path) || buildHalf.test(path),
      )
      assert.deepEqual(built, [], `${start} reaches the build half`)
    }
  })

  it('has no drawer for odds and ends, and no file that is too long', () => {
    const drawer = /\b(utils?|helpers?|common|misc|manager)\b/i
    assert.deepEqual(
      modules.filter((path) => drawer.test(path)),
      [],
    )
    const long = modules.filter((path) => readFileSync(join(src, path), 'utf8').split('\n').length > 301)
    assert.deepEqual(long, [])
  })
})
