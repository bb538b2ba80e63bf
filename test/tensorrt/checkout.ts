/**
 * A checkout of the compiled program in which everything runs as on a machine with a GPU, but for NVIDIA's libraries,
 * whose place the stand-in takes, and for the graphs' operators: the stand-in runs standard ones only, so that each plan
 * of a family's build half is rewritten (test/graph/portable.ts) before it is written. All else is the program's own: the
 * build with its manifest, the addon, the sessions, the service, scripts/gpu-check.js and the checks of test/gpu.
 */
import { copyFileSync, cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onnxRuntimeLibrary } from '../native/onnxruntime.js'
import { currentBuild } from '../native/toolchain.js'
import { root } from '../root.js'

const planners = { whisper: 'planWhisper', llama: 'planLlama', kokoro: 'planKokoro' }

/**
 * A build half that plans as its neighbour `planned.js` does, in standard operators. The likeliest size of a profile, for
 * which TensorRT would choose kernels, is here only what a session warms up with: the least, which takes less time.
 */
const rewritten = (planner: string): string => `
import { portable } from '../../../dist-test/graph/portable.js'
import { ${planner} as plan } from './planned.js'
const quick = ({ name, sizes }) => ({
  name,
  sizes: Object.fromEntries(Object.entries(sizes).map(([symbol, [least, , most]]) => [symbol, [least, least, most]])),
})
export function ${planner}(...call) {
  const { graphs, assets } = plan(...call)
  const rewritten = graphs.map(({ graph, profiles, ...planned }) => ({
    ...planned,
    graph: portable(graph, { rounding: true }),
    profiles: profiles.map(quick),
  }))
  return { graphs: rewritten, assets }
}
`

/** The environment in which the programs of the checkout in `folder` run. */
export async function environment(folder: string): Promise<Record<string, string>> {
  const { sdk } = await currentBuild()
  return {
    RUNTIME: 'tensorrt',
    ENGINES: join(folder, 'engines'),
    TENSORRT_LIBRARIES: sdk,
    FAKE_TRT_ONNXRUNTIME: onnxRuntimeLibrary(),
  }
}

/** Fills an empty or missing folder. */
export async function makeCheckout(folder: string): Promise<void> {
  const { addon } = await currentBuild()
  const place = (name: string) => join(folder, name)
  const native = join(root, 'dist-test', 'native', 'build')
  for (const name of ['dist', 'scripts', 'dist-test'])
    cpSync(join(root, name), place(name), { recursive: true, filter: (path) => path !== native })
  for (const name of ['package.json', '.mocharc.json']) copyFileSync(join(root, name), place(name))
  for (const name of ['node_modules', 'src', 'test', 'checkpoints'])
    symlinkSync(join(root, name), place(name), 'junction')
  mkdirSync(place('native/build'), { recursive: true })
  copyFileSync(addon, place('native/build/tensorrt.node'))
  for (const [family, planner] of Object.entries(planners)) {
    const build = place(`dist/models/${family}/build.js`)
    renameSync(build, place(`dist/models/${family}/planned.js`))
    writeFileSync(build, rewritten(planner))
  }
}
