import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST } from '#src/runtime/manifest.js'
import { currentBuild, describeNative, type NativeBuild } from '../../native/toolchain.js'
import { root } from '../../root.js'
import { run } from '../../scripts/process.js'
import type { Answer, Job } from './child/threads.js'
import { decoder, testGpu, writePlans } from './engines.js'
import { House } from './house.js'

describeNative('runtime/tensorrt/library', () => {
  let house: House
  let engine: string
  let build: NativeBuild

  before(async () => {
    house = new House()
    build = await currentBuild()
    const { folder, manifest } = await writePlans({ decoder }, await testGpu())
    writeFileSync(join(folder, MANIFEST), JSON.stringify(manifest))
    engine = folder
  })
  after(() => house.remove())

  async function ask(job: Partial<Job> = {}, env: Record<string, string> = {}): Promise<Answer[]> {
    const script = join(root, 'dist-test', 'runtime', 'tensorrt', 'child', 'threads.js')
    const given: Job = { house: house.folder, engine, device: 0, libraries: build.sdk, threads: 1, ...job }
    const { code, stdout, stderr } = await run([script, JSON.stringify(given)], { cwd: root, env })
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as Answer[]
  }
  async function sentence(pattern: RegExp, job: Partial<Job> = {}, env: Record<string, string> = {}) {
    const [answer] = await ask(job, env)
    assert.ok(answer && 'name' in answer, JSON.stringify(answer))
    assert.equal(answer.name, 'SetupError', answer.message)
    assert.match(answer.message, pattern)
  }

  it('names the command for an addon that is not there, or is none', async () => {
    await sentence(/tensorrt\.node.*: run `npm run build:native`/)
    writeFileSync(house.addon, 'not a library')
    await sentence(/can not be used here: .*tensorrt\.node/)
  })

  describe('with the addon', () => {
    before(() => house.install(build.addon))

    it('opens an engine in several threads, each of which tells what it took', async () => {
      const answers = await ask({ threads: 3 })
      assert.equal(answers.length, 3)
      for (const answer of answers) {
        assert.ok('y' in answer, JSON.stringify(answer))
        assert.deepEqual([answer.y, answer.device], [[9], 'Fake GPU 0'])
        assert.equal(answer.taken, (answers[0] as typeof answer).taken)
      }
    })

    it('hands on what the addon says of libraries, driver and GPU', async () => {
      await sentence(/libnvinfer\.so|libcudart\.so/, { libraries: house.folder })
      await sentence(/driver/, {}, { FAKE_CUDA_DRIVER: '0' })
      await sentence(/GPU/, {}, { FAKE_CUDA_DEVICES: '0' })
      await sentence(/There is no GPU 1: DEVICE must be one of 0 \(Fake GPU 0\)/, { device: 1 })
    })

    it('refuses an engine that was built for another GPU, with the command that builds it anew', async () => {
      await sentence(
        /was built for .* on Fake GPU 0 .*, and this is .* on Fake GPU 1 .*: run `npm run build-engines -- --runtime tensorrt`/,
        { device: 1 },
        { FAKE_CUDA_DEVICES: '2' },
      )
    })
  })
})
