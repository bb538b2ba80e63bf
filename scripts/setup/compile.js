/** TypeScript to dist/ and dist-test/, when a source changed since the last success. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.js'
import { fingerprint, readText, sourcesIn } from './files.js'

export const service = {
  config: 'tsconfig.json',
  folders: ['src'],
  out: 'dist',
  buildInfo: 'tsconfig.tsbuildinfo',
}
/** The tests are checked against the service's declarations, so its sources are theirs too. */
export const tests = {
  config: 'test/tsconfig.json',
  folders: ['src', 'test'],
  out: 'dist-test',
  buildInfo: 'dist-test/tsconfig.tsbuildinfo',
}

const stampOf = (root, project) => join(root, project.out, '.sources.json')

/** Everything a project's outputs and its type-check depend on. */
function inputs(root, project) {
  return fingerprint(root, [
    'package.json',
    'tsconfig.json',
    'node_modules/.simple-audio-service.json',
    project.config,
    ...project.folders.flatMap((folder) => sourcesIn(root, folder)),
  ])
}

/** Those of the projects that have to be compiled (the compiler itself takes longer to find that out). */
export function staleProjects(root, projects) {
  return projects.filter((project) => {
    const fresh = existsSync(join(root, project.buildInfo))
    return !fresh || readText(stampOf(root, project)) !== JSON.stringify(inputs(root, project))
  })
}

/**
 * Compiles and type-checks projects; their stamps are written only if there was no finding.
 * @throws {Failure} with the compiler's findings shown
 */
export async function compile(root, projects) {
  // taken before the compiler reads: a source saved meanwhile is compiled again at the next start
  const before = projects.map((project) => JSON.stringify(inputs(root, project)))
  for (const project of projects) {
    if (hasLeftovers(root, project)) {
      rmSync(join(root, project.out), { recursive: true, force: true })
      rmSync(join(root, project.buildInfo), { force: true })
    }
    rmSync(stampOf(root, project), { force: true })
  }
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, '-b', ...projects.map((project) => project.config)], {
    cwd: root,
    fault: 'the sources do not compile: the findings are above',
  })
  projects.forEach((project, i) => {
    writeFileSync(stampOf(root, project), before[i])
  })
}

/** Outputs of sources that are gone would still be imported, or run as tests: then all outputs go. */
function hasLeftovers(root, project) {
  const stamp = readText(stampOf(root, project))
  if (stamp === undefined) return true
  return Object.keys(JSON.parse(stamp)).some((path) => !existsSync(join(root, path)))
}
