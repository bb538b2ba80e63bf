/** The page at `/`: the files of page/ as they are, read once, compressed once. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { RequestHandler } from 'express'
import { notFound } from './errors.js'

const folder = fileURLToPath(new URL('../../src/http/page', import.meta.url))
const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Everything that the page loads comes from here, nothing runs that is written into it, and nobody may frame it. */
const policy = {
  'content-security-policy': [
    "default-src 'none'",
    ...['script-src', 'style-src', 'img-src', 'connect-src'].map((what) => `${what} 'self'`),
    ...['base-uri', 'form-action', 'frame-ancestors'].map((what) => `${what} 'none'`),
    "require-trusted-types-for 'script'",
  ].join('; '),
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

interface PageFile {
  readonly plain: Buffer
  readonly gzipped: Buffer
  readonly headers: Readonly<Record<string, string>>
}

function readPage(): ReadonlyMap<string, PageFile> {
  const names = readdirSync(folder).filter((name) => extname(name) in mediaTypes)
  return new Map(
    names.map((name) => {
      const plain = readFileSync(join(folder, name))
      const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
      const headers = { ...policy, 'content-type': mediaTypes[extname(name)]!, etag }
      return [name === 'index.html' ? '/' : `/page/${name}`, { plain, gzipped: gzipSync(plain), headers }]
    }),
  )
}

/** Its paths, and what answers them. */
export function page(): { paths: string[]; serve: RequestHandler } {
  const files = readPage()
  return {
    paths: [...files.keys()],
    serve(request, response) {
      const file = files.get(request.path)
      // Express takes /PAGE/ for /page/.
      if (!file) return notFound(request)
      const { plain, gzipped, headers } = file
      response.set(headers)
      // The names of the files stay the same from version to version: browsers keep them, but ask each time.
      response.set({ 'cache-control': 'no-cache', vary: 'accept-encoding' })
      if (request.fresh) {
        response.status(304).end()
        return
      }
      const zipped = request.acceptsEncodings('gzip') === 'gzip'
      if (zipped) response.setHeader('content-encoding', 'gzip')
      response.send(zipped ? gzipped : plain)
    },
  }
}
