/** The locked dependencies: installed again when the lock file, the Node version or the platform changed. */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Failure, run } from './child.js'
import { readText } from './files.js'

const stampOf = (root) => join(root, 'node_modules', '.simple-audio-service.json')

/** What the installed packages depend on, as the text of the stamp that a finished installation leaves. */
function expected(root) {
  return JSON.stringify({
    lock: createHash('sha256')
      .update(readFileSync(join(root, 'package-lock.json')))
      .digest('hex'),
    // the ABI: native packages fit all releases that share it, so a patch release installs nothing
    abi: process.versions.modules,
    platform: process.platform,
    arch: process.arch,
  })
}

export const dependenciesAreFresh = (root) => readText(stampOf(root)) === expected(root)

/** `npm ci`, with the compiler and the linter even under NODE_ENV=production. */
export async function install(root) {
  refuseMusl()
  rmSync(stampOf(root), { force: true })
  const npm = npmCommand()
  await run(npm.command, [...npm.args, 'ci', '--include=dev', '--loglevel=warn'], {
    cwd: root,
    shell: npm.shell,
    fault: 'npm ci failed for the reason above (without a network, npm needs the packages in its cache)',
    missing: 'npm was not found: install it (it comes with Node from https://nodejs.org)',
  })
  writeFileSync(stampOf(root), expected(root))
}

/** The npm that started us, if one did (another package manager sets the same variable to itself). */
function npmCommand() {
  const path = process.env.npm_execpath
  if (path && basename(path) === 'npm-cli.js')
    return { command: process.execPath, args: [path], shell: false }
  // on Windows npm is a batch file, which only a shell can run
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}

/** ONNX Runtime's Linux library needs glibc; Alpine's musl would only fail at the first load, unclearly. */
function refuseMusl() {
  if (process.platform !== 'linux' || process.report.getReport().header.glibcVersionRuntime) return
  throw new Failure(
    'simple-audio-service needs a Linux with glibc, as ONNX Runtime does: use Debian, Ubuntu, Fedora or alike instead of Alpine',
  )
}
