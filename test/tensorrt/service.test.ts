/**
 * The whole line for TensorRT with the real models: engines are built, and the service hears, thinks and speaks with them.
 * Build, addon, sessions, run halves and service are the product's own; checkout.ts has what is not.
 *
 * What it shows: that profiles, signatures, state, resident tensors and replayed runs of real graphs fit together from the
 * checkpoint to the sound, and that nothing is left on the GPU at the end. What it cannot: whether TensorRT takes these
 * graphs and what its kernels make of them, since the graphs are rewritten, in float32, and run on the processor.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readManifest } from '#src/runtime/store.js'
import {
  asked,
  audioOf,
  clip,
  complete,
  post,
  recording,
  replyOf,
  spoken,
  text,
  transcripts,
  wordErrorRate,
} from '../http/client.js'
import { countsFile, livingObjects } from '../native/child.js'
import { describeNative } from '../native/toolchain.js'
import { run } from '../scripts/process.js'
import { Service } from '../service.js'
import { environment, makeCheckout } from './checkout.js'

describeNative('the whole service', () => {
  const counts = countsFile()
  let folder: string
  let service: Service
  before(async function () {
    this.timeout(600_000)
    folder = mkdtempSync(join(tmpdir(), 'line-'))
    await makeCheckout(folder)
    const env = {
      ...(await environment(folder)),
      PRECISION: 'float32',
      SLOTS: '2',
      KV_MEMORY: '32MB',
    }
    const { code, stderr } = await run([join('scripts', 'build-engines.js')], { cwd: folder, env })
    assert.equal(code, 0, stderr)
    service = await Service.start({ ...env, FAKE_COUNTS: counts }, folder)
  })
  after(async () => {
    await service?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  it('has engines for this GPU, and memory for them, and records its decode steps', () => {
    for (const name of ['whisper-base', 'smollm2-135m-instruct', 'kokoro-82m']) {
      const { device, options } = readManifest(join(folder, 'engines', 'tensorrt', name))
      assert.deepEqual([device?.sm, options.precision], [89, 'float32'])
      assert.match(service.stderr, new RegExp(`^${name} .* has taken \\d+ MB of GPU memory$`, 'm'))
    }
    assert.doesNotMatch(service.stderr, /can not be recorded/)
  })

  it('thinks', async () => {
    const completion = await complete(service, asked('What is the capital of France?', { max_tokens: 12 }))
    assert.equal(replyOf(completion), 'The capital of France is Paris.')
  })

  it('hears', async () => {
    const completion = await complete(service, asked([text('transcribe'), clip('spk1_snt5.wav')]))
    assert.equal(wordErrorRate(transcripts['spk1_snt5.wav']!, replyOf(completion)), 0, replyOf(completion))
  })

  it('answers a spoken question by voice, and hears what it has said', async () => {
    const question = asked([clip('spk1_snt1.wav')], { ...spoken, max_tokens: 12 })
    const { transcript, bytes } = audioOf(await complete(service, question))
    const heard = replyOf(await complete(service, asked([text('transcribe'), recording(bytes)])))
    assert.ok(transcript.split(' ').length >= 5, transcript)
    assert.ok(wordErrorRate(transcript, heard) <= 0.1, `"${transcript}" was heard as "${heard}"`)
  })

  it('gives up what nobody waits for, and goes on', async () => {
    const story = asked('Tell me a long story about a river.', { max_tokens: 200 })
    const controller = new AbortController()
    const answer = post(service, story, { signal: controller.signal })
    await sleep(500)
    controller.abort()
    await assert.rejects(answer, { name: 'AbortError' })
    const { ms } = await service.logged(({ status, ms }) => status === 499 && ms !== undefined)
    assert.ok(Number(ms) < 5000, `${ms} ms`)
    const reply = replyOf(await complete(service, asked('Say yes.', { max_tokens: 2 })))
    assert.ok(reply.length > 0)
  })

  it('ends at SIGTERM, and leaves nothing on the GPU', async () => {
    service.kill('SIGTERM')
    assert.deepEqual(await service.ended, { code: 0, signal: null })
    assert.deepEqual(livingObjects(counts), {})
  })
})
