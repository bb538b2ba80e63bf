import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../root.js'

interface Requirements {
  nodeFault(version: string): string | undefined
  platformFault(platform: string, arch: string): string | undefined
}

describe('scripts/setup/requirements.js', () => {
  let requirements: Requirements
  before(async () => {
    const url = pathToFileURL(join(root, 'scripts', 'setup', 'requirements.js'))
    requirements = (await import(url.href)) as Requirements
  })

  it('takes Node from 20.19 on', () => {
    for (const version of ['v20.19.0', 'v20.20.2', 'v22.12.0', 'v24.0.0', 'v26.0.0-nightly2026'])
      assert.equal(requirements.nodeFault(version), undefined, version)
    for (const version of ['v12.22.12', 'v18.20.4', 'v20.9.0', 'v20.18.3'])
      assert.match(requirements.nodeFault(version) ?? '', new RegExp(`this is Node ${version.slice(1)}:`))
  })

  it('knows the platforms that onnxruntime-node has a library for, and no other', () => {
    const bin = join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6')
    const shipped = readdirSync(bin).flatMap((platform) =>
      readdirSync(join(bin, platform)).map((arch) => `${platform} ${arch}`),
    )
    assert.ok(shipped.length > 0)
    for (const name of shipped) {
      const [platform = '', arch = ''] = name.split(' ')
      assert.equal(requirements.platformFault(platform, arch), undefined)
    }
    const listed = requirements
      .platformFault('plan9', 'mips')
      ?.match(/one of (.*)\.$/)?.[1]
      ?.split(', ')
    assert.deepEqual(listed?.sort(), shipped.sort())
  })
})
