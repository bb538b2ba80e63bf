/** Answers what of an engine is alive on the stand-in: while it serves, after its end, and after openings that fail. */
import { createRequire } from 'node:module'
import '#src/runtime/engine.js'
import { openTensorRt } from '#src/runtime/tensorrt/engine.js'
import { countsFile, livingObjects } from '../../../native/child.js'
import { decoder, decoderFeeds, openTestEngine, SLOTS, testGpu, writePlans } from '../engines.js'

const counts = countsFile()
process.env.FAKE_COUNTS = counts
const gpu = await testGpu()
const { free } = gpu.native.memory()
const { folder, manifest } = await writePlans({ decoder }, gpu)
const before = livingObjects(counts)

const engine = openTensorRt(folder, manifest, gpu)
const session = await engine.open('decoder')
for (let past = 0; past < 3; past++)
  for (let slot = 0; slot < SLOTS; slot++) await session.run(decoderFeeds([[slot]], [past]), [{ slot, past }])
const serving = livingObjects(counts)
await session.dispose()
await engine.dispose()
const after = livingObjects(counts)

const failures: string[] = []
const fails = (opening: Promise<unknown>) =>
  opening.catch((error: Error) => {
    failures.push(error.message)
  })
const { signature } = decoder
const fewer = { ...decoder, signature: { ...signature, profiles: signature.profiles.slice(1) } }
const mixed = { ...manifest, graphs: { decoder: fewer.signature } }
await fails((async () => openTensorRt(folder, mixed, gpu))())
await fails(openTestEngine({ decoder: { ...decoder, head: ['weights 100000000'] } }, tooSmall(gpu)))
const broken = await openTestEngine({ decoder: { ...decoder, head: ['fail enqueue broken'] } }, gpu)
await fails(broken.open('decoder'))
await broken.dispose()
// The modules of ONNX Runtime, which a GPU's host may lack.
const { cache } = createRequire(import.meta.url)
const loaded = Object.keys(cache).filter((path) => path.includes('onnxruntime'))
process.stdout.write(
  JSON.stringify({
    loaded,
    before,
    serving,
    after,
    failed: livingObjects(counts),
    failures,
    free: gpu.native.memory().free - free,
  }),
)

/** The same GPU, of which only little is free once the weights are there. */
function tooSmall({ native, device }: typeof gpu): typeof gpu {
  let asked = 0
  const memory = () => ({ free: asked++ === 0 ? 100_001_000 : 1000, total: 2e8 })
  return { device, native: Object.assign(Object.create(native) as typeof native, { memory }) }
}
