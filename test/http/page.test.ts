import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.js'
import { type Service, sharedService } from '../service.js'
import { send } from './client.js'

const folder = join(root, 'src', 'http', 'page')
const files = readdirSync(folder).filter((name) => /\.(css|js|svg)$/.test(name))

describe('the page', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(service.url + path, { headers: { 'accept-encoding': 'identity', ...headers } })

  it('is served as it lies in the folder, under a strict policy', async () => {
    const types = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' }
    for (const name of ['index.html', ...files]) {
      const response = await get(name === 'index.html' ? '/' : `/page/${name}`)
      assert.equal(response.status, 200, name)
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), readFileSync(join(folder, name)))
      const type = types[name.split('.').at(-1) as keyof typeof types]
      assert.ok(response.headers.get('content-type')!.startsWith(type), name)
      const policy = response.headers.get('content-security-policy')!
      assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/)
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    }
  })

  it('is sent again only when it has changed', async () => {
    const first = await get('/page/main.js')
    const etag = first.headers.get('etag')!
    assert.equal(first.headers.get('cache-control'), 'no-cache')
    // What Node would add asks for the whole in any case.
    const plain = { 'cache-control': 'max-age=0' }
    const again = await get('/page/main.js', { 'if-none-match': etag, ...plain })
    assert.deepEqual([again.status, await again.text()], [304, ''])
    assert.equal((await get('/page/main.js', { 'if-none-match': 'W/"other"', ...plain })).status, 200)
  })

  it('is small: all of it, compressed, has less than 25 kB', async () => {
    let bytes = 0
    for (const path of ['/', ...files.map((name) => `/page/${name}`)]) {
      const response = await get(path, { 'accept-encoding': 'gzip' })
      assert.equal(response.headers.get('content-encoding'), 'gzip')
      assert.ok((await response.arrayBuffer()).byteLength > 0)
      bytes += Number(response.headers.get('content-length'))
    }
    assert.ok(bytes > 5_000 && bytes < 25_000, `${bytes} bytes`)
  })

  it('names nobody else, and all of its modules at once', () => {
    const html = readFileSync(join(folder, 'index.html'), 'utf8')
    const named = [...html.matchAll(/\b(?:src|href)="([^"#]+)"/g)].map(([, path]) => path!)
    for (const path of named.filter((name) => name !== 'openapi.json'))
      assert.ok(files.includes(path.replace(/^page\//, '')), path)
    // One after the other they would cost a way to the service and back for each that imports another.
    for (const name of files.filter((file) => file.endsWith('.js')))
      for (const [, path] of readFileSync(join(folder, name), 'utf8').matchAll(/from '\.\/([^']+)'/g))
        assert.ok(named.includes(`page/${path!}`), `${name} imports ${path!}`)
  })

  it('has modules without a finding of the compiler', () => {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    assert.deepEqual([status, stdout], [0, ''])
  })

  it('has no other paths and methods', async () => {
    for (const path of [
      '/page/',
      '/page/none.js',
      '/page/tsconfig.json',
      '/PAGE/main.js',
      '/page/..%2fapp.ts',
    ])
      assert.equal((await send(service, path)).status, 404, path)
    const { status, headers } = await send(service, '/', '{}')
    assert.deepEqual([status, headers.get('allow')], [405, 'GET, HEAD, OPTIONS'])
    const head = await fetch(service.url, { method: 'HEAD' })
    assert.deepEqual([head.status, await head.text()], [200, ''])
  })
})
