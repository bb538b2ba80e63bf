/** Fetching from a hub of this machine: what is asked for, how it is gone on with, what is refused. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpointNames } from '#src/build/sources.js'
import { SetupError } from '#src/errors.js'
import { type FetchedModel, type FetchModelOptions, fetchModel } from '#src/hub/fetch-model.js'
import { root } from '../root.js'
import { FakeHub, id, refuse, send } from './fake-hub.js'
import { cert, key } from './self-signed.js'

const config = {
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 80,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
}
const weights = randomBytes(300_000)

describe('hub/fetch-model', () => {
  let hub: FakeHub
  let checkpoints = ''
  beforeEach(async () => {
    checkpoints = mkdtempSync(join(tmpdir(), 'checkpoints-'))
    hub = new FakeHub()
    await hub.start()
    hub.put('config.json', config)
    hub.put('tokenizer.json', { version: '1.0' })
    hub.put('tokenizer_config.json', {})
    hub.put('model.safetensors', weights)
    hub.put('LICENSE', 'Apache-2.0')
    hub.put('README.md', 'a card')
    hub.put('pytorch_model.bin', randomBytes(100))
    hub.put('onnx/model.onnx', 'another form')
  })
  afterEach(() => {
    hub.stop()
    rmSync(checkpoints, { recursive: true })
  })

  const fetch = (
    reference: string = id,
    environment: Record<string, string> = {},
    more: Partial<FetchModelOptions> = {},
  ): Promise<FetchedModel> =>
    fetchModel(reference, {
      checkpoints,
      environment: { HF_ENDPOINT: hub.endpoint, HF_HOME: checkpoints, ...environment },
      signal: new AbortController().signal,
      onProgress: () => {},
      pause: 1,
      ...more,
    })
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof SetupError && message.test(error.message) && !error.message.includes('\n')
  const file = (...names: string[]): Buffer => readFileSync(join(checkpoints, 'tiny-model', ...names))
  const needed = ['LICENSE', 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
  const fetching = () => join(checkpoints, '.tiny-model.fetching')

  describe('fetches', () => {
    it('what a family needs, and nothing else, two files at once at most', async () => {
      const progress: { done: number; total: number }[] = []
      hub.delay = 20
      const found = await fetch(id, {}, { onProgress: (event) => progress.push(event) })
      assert.deepEqual(found, {
        name: 'tiny-model',
        folder: join(checkpoints, 'tiny-model'),
        family: 'llama',
        fetched: true,
      })
      assert.deepEqual(hub.fetched, needed)
      assert.deepEqual(readdirSync(found.folder).sort(), ['.fetched.json', ...needed].sort())
      for (const name of needed) assert.deepEqual(file(name), hub.files.get(name))
      assert.deepEqual(checkpointNames(checkpoints), ['tiny-model'])
      assert.equal(hub.busiest, 2, 'at once')
      const { done, total } = progress.at(-1)!
      assert.equal(done, total)
      assert.equal(existsSync(fetching()), false)
    })

    it('the shards that an index names', async () => {
      hub.files.delete('model.safetensors')
      const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
      for (const shard of [...shards, 'consolidated.safetensors']) hub.put(shard, randomBytes(5000))
      hub.put('model.safetensors.index.json', { weight_map: { a: shards[0], b: shards[1], c: shards[0] } })
      await fetch()
      for (const shard of shards) assert.deepEqual(file(shard), hub.files.get(shard))
      assert.ok(!hub.fetched.includes('consolidated.safetensors'))
    })

    it('one GGUF by its quantisation or name, alone', async () => {
      const miniature = readFileSync(join(root, 'test/golden/gguf/sentencepiece.gguf'))
      hub.put('sub/Tiny-Q4_K_M.gguf', miniature)
      hub.put('Tiny-Q4_K_S.gguf', randomBytes(10))
      hub.put('Tiny-IQ4_K_M.gguf', randomBytes(10))
      assert.equal((await fetch(`${id}:q4_k_m`)).name, 'tiny-model-q4_k_m')
      const folder = join(checkpoints, 'tiny-model-q4_k_m')
      assert.deepEqual(readdirSync(folder).sort(), ['.fetched.json', 'LICENSE', 'Tiny-Q4_K_M.gguf'])
      assert.deepEqual(readFileSync(join(folder, 'Tiny-Q4_K_M.gguf')), miniature)
      assert.equal((await fetch(`${id}:Tiny-Q4_K_M.gguf`, {}, { name: 'Mine' })).name, 'mine')
    })

    it('files whose names begin alike, beside each other', async () => {
      hub.files.delete('LICENSE')
      for (const name of ['LICENSE.txt', 'LICENSE']) hub.put(name, name)
      let goOn = () => {}
      hub.fault = ({ path }, response, content) => {
        if (path.endsWith('LICENSE')) goOn()
        if (!path.endsWith('LICENSE.txt')) return false
        goOn = () => response.end(content)
        return true
      }
      await fetch()
      for (const name of ['LICENSE.txt', 'LICENSE']) assert.equal(file(name).toString(), name)
    })

    it('a revision by its commit', async () => {
      await fetch(`${id}@${hub.commit}`)
      assert.ok(hub.seen.some(({ path }) => path.endsWith(`/revision/${hub.commit}`)))
    })

    it('with the token for the hub, and for no other host', async () => {
      await fetch(id, { HF_TOKEN: 'hf_secret' })
      for (const { host, authorization } of hub.seen)
        assert.equal(authorization, host === 'hub' ? 'Bearer hf_secret' : undefined)
      assert.ok(hub.seen.some(({ host }) => host === 'cdn'))
    })

    it('with the token of HF_HOME', async () => {
      writeFileSync(join(checkpoints, 'token'), 'hf_stored\n')
      await fetch()
      assert.equal(hub.seen[0]!.authorization, 'Bearer hf_stored')
    })
  })

  describe('goes on', () => {
    it('behind a broken connection, a full server and one that asks to wait', async () => {
      let troubles = 0
      hub.fault = ({ host, path, range }, response, content) => {
        if (!path.endsWith('model.safetensors')) return false
        troubles++
        // The hub tells of its window beside any answer: only one that refuses for the window asks to wait for its end.
        if (troubles === 1) response.writeHead(503, { ratelimit: '"resolvers";r=2999;t=280' }).end()
        else if (troubles === 2) response.writeHead(429, { 'retry-after': '0' }).end()
        else if (host === 'cdn' && troubles === 4) send(response, content!, range, 100_000)
        else if (host === 'cdn' && troubles === 6) response.destroy()
        else return false
        return true
      }
      await fetch()
      assert.deepEqual(file('model.safetensors'), weights)
      assert.ok(hub.seen.some(({ range }) => range === 'bytes=100000-'))
    })

    it('with what a stopped run left, and asks for nothing once all is there', async () => {
      const stop = new AbortController()
      hub.fault = ({ host, range }, response, content) => {
        if (host !== 'cdn') return false
        response.writeHead(200, { 'content-length': content!.length })
        response.write(content!.subarray(0, 150_000), () => setTimeout(() => stop.abort('SIGINT'), 100))
        assert.equal(range, undefined)
        return true
      }
      await assert.rejects(fetch(id, {}, { signal: stop.signal }), (error) => error === 'SIGINT')
      assert.deepEqual(checkpointNames(checkpoints), [], 'half a checkpoint is none')
      const [part] = readdirSync(fetching()).filter((name) => name.endsWith('.part'))
      assert.equal(statSync(join(fetching(), part!)).size, 150_000)

      hub.fault = () => false
      hub.seen.length = 0
      assert.equal((await fetch()).fetched, true)
      assert.deepEqual(file('model.safetensors'), weights)
      assert.deepEqual(hub.fetched, ['model.safetensors'], 'the others were there')
      assert.equal(hub.seen.at(-1)!.range, 'bytes=150000-')

      hub.seen.length = 0
      assert.equal((await fetch()).fetched, false)
      assert.deepEqual(hub.fetched, [])
      assert.equal(existsSync(fetching()), false)
    })

    it('no more once it is stopped while it waits for a server', async () => {
      const stop = new AbortController()
      hub.fault = (_, response) => {
        refuse(response, 503)
        setTimeout(() => stop.abort('SIGINT'), 50)
        return true
      }
      const patient = fetch(id, {}, { signal: stop.signal, pause: 30_000 })
      await assert.rejects(patient, (error) => error === 'SIGINT')
      assert.equal(hub.seen.length, 1)
    }).timeout(5000)

    it('from the start where the server knows no ranges, or the content has become another', async () => {
      const begin = async () => {
        const stop = new AbortController()
        hub.fault = ({ host }, response, content) => {
          if (host !== 'cdn') return false
          response.write(content!.subarray(0, 10_000), () => setTimeout(() => stop.abort(), 50))
          return true
        }
        await assert.rejects(fetch(id, {}, { signal: stop.signal }))
        hub.seen.length = 0
      }
      const parts = () => readdirSync(fetching()).filter((name) => name.endsWith('.part')).length
      await begin()
      hub.put('model.safetensors', randomBytes(200_000))
      await begin()
      assert.equal(parts(), 1, 'that of the former content is gone')
      hub.put('model.safetensors', randomBytes(200_000))
      hub.fault = () => false
      await fetch()
      assert.ok(hub.seen.every(({ range }) => range === undefined))
      assert.deepEqual(file('model.safetensors'), hub.files.get('model.safetensors'))

      hub.put('model.safetensors', weights)
      await begin()
      hub.fault = ({ host }, response, content) => {
        if (host === 'cdn') send(response, content!, undefined)
        return host === 'cdn'
      }
      await fetch()
      assert.equal(hub.seen.at(-1)!.range, 'bytes=10000-')
      assert.deepEqual(file('model.safetensors'), weights)
    })

    it('where a server sends another range than it was asked for', async () => {
      let broken = 0
      hub.fault = ({ host, range }, response, content) => {
        if (host !== 'cdn' || broken > 1) return false
        if (broken++ === 0) send(response, content!, range, 100_000)
        else send(response, content!, 'bytes=50000-')
        return true
      }
      await fetch()
      assert.deepEqual(file('model.safetensors'), weights)
    })

    it('when the server says, if it does, and says so', async () => {
      let asked = 0
      hub.fault = ({ host }, response) => {
        if (host !== 'cdn' || asked++ > 1) return false
        response
          .writeHead(429, asked === 1 ? { 'retry-after': '0' } : { ratelimit: '"resolvers";r=0;t=1' })
          .end()
        return true
      }
      const waits: [string, number][] = []
      await fetch(id, {}, { pause: 30_000, onWait: (...wait) => waits.push(wait) })
      assert.equal(asked, 3)
      assert.deepEqual(
        waits.map(([reason]) => reason),
        new Array(2).fill(`${hub.endpoint}: the server answered 429`),
      )
      assert.ok(waits[0]![1] === 0 && waits[1]![1] >= 1000 && waits[1]![1] < 2000)
    }).timeout(5000)

    it('to a new commit with the files that are new, and drops those that are gone', async () => {
      await fetch()
      const before = statSync(join(checkpoints, 'tiny-model', 'model.safetensors')).ino
      hub.commit = '2'.repeat(40)
      hub.put('tokenizer.json', { version: '2.0' })
      hub.files.delete('LICENSE')
      hub.seen.length = 0
      assert.equal((await fetch()).fetched, true)
      assert.deepEqual(hub.fetched, ['tokenizer.json'])
      assert.equal(statSync(join(checkpoints, 'tiny-model', 'model.safetensors')).ino, before)
      assert.equal(file('tokenizer.json').toString(), '{"version":"2.0"}')
      assert.equal(existsSync(join(checkpoints, 'tiny-model', 'LICENSE')), false)
    })

    it('with files of a stopped run only where they are the ones wanted now', async () => {
      hub.put('config.json', { model_type: 'mamba' })
      await assert.rejects(fetch(), refused(/mamba/))
      hub.put('config.json', config)
      hub.put('tokenizer.json', { version: '9.0' }) // of the same length
      hub.files.delete('LICENSE')
      hub.seen.length = 0
      await fetch()
      assert.deepEqual(hub.fetched, ['config.json', 'model.safetensors', 'tokenizer.json'])
      assert.equal(file('tokenizer.json').toString(), '{"version":"9.0"}')
      assert.equal(existsSync(join(checkpoints, 'tiny-model', 'LICENSE')), false)
      assert.deepEqual(file('config.json'), hub.files.get('config.json'))
    })

    it('and clears away what was to be replaced when a run was killed', async () => {
      const { pid } = spawnSync(process.execPath, ['-e', ''])
      const [ofNobody, ofAnother] = [pid, process.ppid].map((owner) => `.tiny-model.replaced-${owner}`)
      for (const name of [ofNobody!, ofAnother!]) mkdirSync(join(checkpoints, name))
      await fetch()
      assert.deepEqual(readdirSync(checkpoints).sort(), [ofAnother, 'tiny-model'])
    })

    it('with a file that was changed here since', async () => {
      await fetch()
      writeFileSync(
        join(checkpoints, 'tiny-model', 'config.json'),
        JSON.stringify(config).replace('512', '999'),
      )
      hub.seen.length = 0
      await fetch()
      assert.deepEqual(hub.fetched, ['config.json'])
      assert.deepEqual(file('config.json'), hub.files.get('config.json'))
    })
  })

  describe('refuses', () => {
    it('content of another digest, large or small, and fetches it anew the next time', async () => {
      for (const damaged of ['tokenizer.json', 'model.safetensors']) {
        hub.fault = ({ path, host }, response, content) => {
          if (!path.endsWith(damaged) || (host === 'hub' && damaged.endsWith('safetensors'))) return false
          const other = Buffer.from(content!)
          other[3]! ^= 1
          response.end(other)
          return true
        }
        await assert.rejects(fetch(), refused(new RegExp(`^${damaged} has the digest`)))
        assert.deepEqual(checkpointNames(checkpoints), [])
      }
      hub.fault = () => false
      await fetch()
      assert.deepEqual(file('model.safetensors'), weights)
    })

    it('content that is longer than it is to be', async () => {
      hub.fault = ({ host }, response, content) => {
        if (host === 'cdn') response.end(Buffer.concat([content!, Buffer.alloc(1000)]))
        return host === 'cdn'
      }
      await assert.rejects(fetch(), refused(/model\.safetensors is longer than the 300000 bytes/))
    })

    it('a family that is not supported before its weights are on their way', async () => {
      hub.put('config.json', { model_type: 'mamba' })
      await assert.rejects(fetch(), refused(/Tiny-Model describes a model of type "mamba"/))
      hub.put('config.json', { ...config, num_experts: 8 })
      await assert.rejects(fetch(), refused(/num_experts 8/))
      assert.ok(!hub.fetched.includes('model.safetensors'))
      const bytes = readFileSync(join(root, 'test/golden/gguf/sentencepiece.gguf'))
      bytes.write(
        'mamba',
        bytes.indexOf('general.architecture') + 'general.architecture'.length + 12,
        'latin1',
      )
      hub.files.clear()
      hub.put('x.gguf', Buffer.concat([bytes, Buffer.alloc(1e6)]))
      hub.seen.length = 0
      await assert.rejects(fetch(), refused(/type "mamba"/))
      assert.deepEqual([...new Set(hub.seen.map(({ range }) => range))], [undefined, 'bytes=0-65535'])
    })

    it('pickles by name, and what has no weights, or several', async () => {
      hub.files.delete('model.safetensors')
      await assert.rejects(fetch(), refused(/only as pytorch_model\.bin: such files are pickles/))
      hub.files.delete('pytorch_model.bin')
      await assert.rejects(fetch(), refused(/neither safetensors nor a GGUF/))
      for (const name of ['a.safetensors', 'b.safetensors']) hub.put(name, 'x')
      await assert.rejects(fetch(), refused(/several \*\.safetensors/))
      hub.files.clear()
      for (const name of ['a-Q4_0.gguf', 'a-Q8_0.gguf', 'mmproj-a.gguf']) hub.put(name, 'x')
      await assert.rejects(fetch(), refused(/several GGUF files.*\(a-Q4_0\.gguf, a-Q8_0\.gguf\)/))
      await assert.rejects(fetch(`${id}:Q5_0`), refused(/no GGUF file Q5_0 \(it has a-Q4_0\.gguf/))
      hub.put('b-Q6_K-00001-of-00002.gguf', 'x')
      await assert.rejects(fetch(`${id}:Q6_K`), refused(/several parts/))
    })

    it('what is listed by no name, or one with control characters, or too long for a disk', async () => {
      const evil = ['a\u001b[2J.gguf', 'a\u202ebin.gguf', `${'a'.repeat(300)}.gguf`].map((rfilename) => ({
        rfilename,
        size: 1,
        blobId: 'a'.repeat(40),
        lfs: null,
      }))
      hub.fault = (_, response) => {
        response.end(JSON.stringify({ sha: hub.commit, siblings: [null, 7, 'x', ...evil] }))
        return true
      }
      await assert.rejects(fetch(), refused(/neither safetensors nor a GGUF/))
    })

    it('an index that names files elsewhere', async () => {
      hub.files.delete('model.safetensors')
      for (const shard of ['../x.safetensors', 'missing.safetensors', 7]) {
        hub.put('model.safetensors.index.json', { weight_map: { a: shard } })
        await assert.rejects(fetch(), refused(/names the file .*, which is not there/))
      }
      hub.put('model.safetensors.index.json', {})
      await assert.rejects(fetch(), refused(/has no weight_map/))
    })

    for (const [what, status, headers, token, message] of [
      [
        'a gated model without a token',
        401,
        { 'x-error-code': 'GatedRepo' },
        '',
        /is gated: .*accept its terms, then set HF_TOKEN to a token/,
      ],
      [
        'a gated model with a token',
        403,
        { 'x-error-code': 'GatedRepo' },
        'hf_x',
        /is gated: .*then set HF_TOKEN to another token/,
      ],
      [
        'a model that is not there',
        401,
        { 'x-error-code': 'RepoNotFound' },
        'hf_x',
        /There is no model .*or it is private: .*or set HF_TOKEN to another token/,
      ],
      [
        'a token that is none',
        401,
        { 'x-error-message': 'Invalid credentials in Authorization header' },
        'hf_x',
        /does not know the token that it was given, "Invalid credentials in .*": set HF_TOKEN/,
      ],
      [
        'a model that is shut, in the hub’s words',
        403,
        { 'x-error-message': `Access to this resource is disabled.\u00a0${'x'.repeat(500)}` },
        '',
        /may not be read \(403, "Access to this resource is disabled\.x{1,200}"\)/,
      ],
      [
        'a network that lets nothing through',
        403,
        {},
        '',
        /may not be read \(403\): .*whoever runs the network/,
      ],
      [
        'a revision that is not there',
        404,
        { 'x-error-code': 'RevisionNotFound' },
        '',
        /has no such revision: check what is behind the @/,
      ],
      ['what else the hub refuses', 451, {}, '', /the hub answered 451/],
    ] as const)
      it(`${what}, saying what to do`, async () => {
        hub.fault = (_, response) => {
          response.writeHead(status, headers).end('<html>an explanation</html>')
          return true
        }
        await assert.rejects(fetch(id, { HF_TOKEN: token }), refused(message))
        assert.equal(hub.seen.length, 1, 'a refusal is not tried again')
        assert.deepEqual(readdirSync(checkpoints), [])
      })

    for (const [how, header, value] of [
      ['in seconds', 'retry-after', () => '900'],
      ['by the clock', 'retry-after', () => new Date(Date.now() + 900_000).toUTCString()],
      ['in the hub’s own way', 'ratelimit', () => '"api";r=0;t=900'],
    ] as const)
      it(`to wait for a quarter of an hour when it is asked to ${how}, and says how long that is`, async () => {
        hub.fault = (_, response) => {
          response.writeHead(429, { [header]: value() }).end()
          return true
        }
        await assert.rejects(
          fetch(),
          refused(
            /wants fewer requests .*: run the same command again in (8\d\d|900) s, .* a token in HF_TOKEN/,
          ),
        )
        assert.equal(hub.seen.length, 1)
      })

    it('a connection that is not trusted, at once', async () => {
      let connections = 0
      const server = createSecureServer({ key, cert }).on('connection', () => connections++)
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
      const { port } = server.address() as AddressInfo
      try {
        const answer = await fetchFailure({ HF_ENDPOINT: `https://localhost:${port}` })
        assert.match(
          answer,
          /^The connection is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): .*NODE_EXTRA_CA_CERTS/,
        )
        assert.equal(connections, 1)
      } finally {
        server.close()
      }
    })

    it('a hub that can not be reached, after some patience, and one that is none', async () => {
      const gone = new FakeHub()
      await gone.start()
      const { endpoint } = gone
      gone.stop()
      const answer = await fetchFailure({ HF_ENDPOINT: endpoint })
      assert.match(answer, /^http:\/\/127\.0\.0\.1:\d+ can not be used now \(.*ECONNREFUSED.*HTTPS_PROXY/)
      hub.fault = (_, response) => {
        response.end('<html>a login page</html>')
        return true
      }
      assert.match(await fetchFailure(), /does not answer as a hub does/)
      hub.fault = (_, response) => {
        response.end('{"sha": "main"}')
        return true
      }
      assert.match(await fetchFailure(), /does not answer as a hub does/)
      hub.fault = (_, response) => {
        refuse(response, 500)
        return true
      }
      hub.seen.length = 0
      assert.match(await fetchFailure(), /the server answered 500/)
      assert.equal(hub.seen.length, 6)
    })

    it('to use the network where HF_HUB_OFFLINE says so, but finds what is there', async () => {
      await assert.rejects(fetch(id, { HF_HUB_OFFLINE: '1' }), refused(/HF_HUB_OFFLINE is set/))
      await fetch()
      hub.seen.length = 0
      assert.equal((await fetch(id, { HF_HUB_OFFLINE: '1' })).fetched, false)
      rmSync(join(checkpoints, 'tiny-model', 'tokenizer.json'))
      await assert.rejects(fetch(id, { HF_HUB_OFFLINE: '1' }), refused(/HF_HUB_OFFLINE/))
      assert.deepEqual(hub.seen, [])
    })

    it('more than the disk has room for', async () => {
      hub.claimed.set('model.safetensors', 1e15)
      await assert.rejects(fetch(), refused(/needs 1000000\.00 GB more and the disk has/))
      assert.ok(!hub.fetched.includes('model.safetensors'))
    })

    it('to go on where the disk becomes full, and goes on when it is not', async () => {
      const some = await open(join(checkpoints, 'some'), 'w')
      const handles = Object.getPrototypeOf(some) as typeof some
      await some.close()
      rmSync(join(checkpoints, 'some'))
      const { appendFile } = handles
      let room = 100_000
      handles.appendFile = async function (this: typeof some, chunk: Uint8Array) {
        if (room < chunk.length)
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
            code: 'ENOSPC',
            syscall: 'write',
          })
        room -= chunk.length
        await appendFile.call(this, chunk)
      }
      try {
        await assert.rejects(
          fetch(),
          refused(/can not be put into .* \(ENOSPC\): there is no space left\. .* goes on where/),
        )
      } finally {
        handles.appendFile = appendFile
      }
      await fetch()
      assert.ok(hub.seen.some(({ range }) => range !== undefined))
      assert.deepEqual(file('model.safetensors'), weights)
    })

    it('nothing for want of room where nothing is to be fetched', async () => {
      await fetch()
      const measured = fs.statfsSync
      Object.assign(fs, { statfsSync: () => ({ ...measured('/'), bavail: 0 }) })
      syncBuiltinESMExports()
      try {
        assert.equal((await fetch()).fetched, false)
        hub.put('tokenizer.json', { version: '2.0' })
        await assert.rejects(fetch(), refused(/needs 0\.00 GB more and the disk has 0\.00 GB free/))
      } finally {
        Object.assign(fs, { statfsSync: measured })
        syncBuiltinESMExports()
      }
    })

    it('to replace a checkpoint that came from elsewhere', async () => {
      mkdirSync(join(checkpoints, 'tiny-model'))
      await assert.rejects(fetch(), refused(/did not come from Some-Org\/Tiny-Model: .*--name/))
      assert.equal((await fetch(id, {}, { name: 'other' })).name, 'other')
    })

    it('names, endpoints, proxies and tokens that are none', async () => {
      await assert.rejects(fetch('tiny'), refused(/"tiny" is neither a file/))
      await assert.rejects(fetch('./nowhere'), refused(/There is no file or folder \.\/nowhere/))
      await assert.rejects(fetch(id, { HF_ENDPOINT: 'hub' }), refused(/HF_ENDPOINT must be a URL/))
      await assert.rejects(
        fetch(`${id}@main:Q8_0`),
        refused(/@main:Q8_0" is neither a file.* @revision behind/),
      )
      for (const proxy of ['http://', 'socks5://127.0.0.1:1'])
        await assert.rejects(fetch(id, { HTTPS_PROXY: proxy }), refused(/HTTPS_PROXY must be a URL/))
      await assert.rejects(fetch(id, { HF_TOKEN: 'a b' }), refused(/token in HF_TOKEN has characters/))
      await assert.rejects(fetch(id, {}, { name: '..' }), refused(/gives no name/))
    })

    const fetchFailure = async (environment?: Record<string, string>): Promise<string> => {
      const error: unknown = await fetch(id, environment).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof SetupError, String(error))
      return error.message
    }
  })

  describe('behind a proxy', () => {
    let proxy: Server
    let connections: string[]
    let authorisations: (string | undefined)[]
    let closed = false
    beforeEach(async () => {
      connections = []
      authorisations = []
      closed = false
      proxy = createServer()
      proxy.on('connect', (request, socket, head) => {
        connections.push(request.url!)
        authorisations.push(request.headers['proxy-authorization'])
        if (closed) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
        const { hostname, port } = new URL(`http://${request.url}`)
        const upstream = connect(Number(port), hostname, () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
          upstream.write(head)
          upstream.pipe(socket).pipe(upstream)
        })
        for (const end of [upstream, socket]) end.on('error', () => {})
      })
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    })
    afterEach(() => {
      proxy.close()
      proxy.closeAllConnections()
    })
    const address = () => `127.0.0.1:${(proxy.address() as AddressInfo).port}`

    it('everything goes through it, redirects too', async () => {
      await fetch(id, { HTTP_PROXY: address() })
      assert.ok(new Set(connections).size === 2 && connections.includes(`127.0.0.1:${hub.port}`))
    })

    it('with the name and password that it wants, which it is asked for', async () => {
      const basic = `Basic ${Buffer.from('me:pass word').toString('base64')}`
      await fetch(id, { HTTP_PROXY: `http://me:pass%20word@${address()}` })
      assert.deepEqual([...new Set(authorisations)], [basic])
      closed = true
      connections.length = 0
      await assert.rejects(
        fetch(id, { HTTP_PROXY: address() }),
        refused(/^The proxy wants a name and a password.*http:\/\/name:password@/),
      )
      assert.equal(connections.length, 1, 'a refusal is not tried again')
    })

    it('but what NO_PROXY names', async () => {
      await fetch(id, { HTTP_PROXY: `http://${address()}`, NO_PROXY: 'example.org,127.0.0.1' })
      assert.deepEqual(connections, [])
    })
  })
})
