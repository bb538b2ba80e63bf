import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../root.js'
import { type Ended, run, type Started, start } from './process.js'

/**
 * A small repository around our scripts, fresh as a clone is, with sources of a few lines. Compiler and linter
 * are the real ones; only the download is not: an npm of our own links the packages, and keeps a list.
 */
export class Clone {
  readonly folder = mkdtempSync(join(tmpdir(), 'simple-audio-service-'))
  readonly npm = join(this.folder, '.npm-of-the-test', 'npm-cli.js')

  constructor() {
    cpSync(join(root, 'scripts'), join(this.folder, 'scripts'), { recursive: true })
    const options = {
      module: 'nodenext',
      target: 'es2023',
      composite: true,
      lib: ['es2023'],
      skipLibCheck: true,
      types: [],
    }
    this.write('package.json', '{ "type": "module" }')
    this.write('package-lock.json', '{}')
    this.write('biome.json', '{ "formatter": { "enabled": false }, "files": { "includes": ["src/**"] } }')
    this.write(
      'tsconfig.json',
      JSON.stringify({ compilerOptions: { ...options, rootDir: 'src', outDir: 'dist' }, include: ['src'] }),
    )
    this.write(
      'test/tsconfig.json',
      JSON.stringify({
        compilerOptions: { ...options, rootDir: '.', outDir: '../dist-test' },
        include: ['.'],
        references: [{ path: '..' }],
      }),
    )
    this.write('src/main.ts', 'export const answer: number = 42\n')
    this.write('src/config.ts', 'export const readConfig = () => ({})\n')
    this.write('src/build.ts', 'export const buildEngines = async () => []\n')
    this.write(
      'test/main.test.ts',
      "import { answer } from '../src/main.js'\nexport const twice = 2 * answer\n",
    )
    this.write('.npm-of-the-test/package.json', '{ "type": "commonjs" }')
    this.write('.npm-of-the-test/npm-cli.js', npm)
    mkdirSync(this.path('linked/@biomejs'), { recursive: true })
    for (const name of [
      'typescript',
      'cli-progress',
      '@biomejs/biome',
      'node-addon-api',
      'node-api-headers',
    ]) {
      symlinkSync(join(root, 'node_modules', name), this.path(`linked/${name}`), 'junction')
    }
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    writeFileSync(this.path(name), text)
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8')
  }

  has(name: string): boolean {
    return existsSync(this.path(name))
  }

  /** The command lines that npm was run with. */
  get npmCalls(): string[] {
    return this.has('npm-calls') ? this.read('npm-calls').trim().split('\n') : []
  }

  startSetUp(env: Record<string, string | undefined> = {}, args: string[] = []): Started {
    const surroundings = { cwd: this.folder, env: { npm_execpath: this.npm, ...env } }
    return start([join('scripts', 'setup.js'), ...args], surroundings)
  }

  setUp(env: Record<string, string | undefined> = {}, args: string[] = []): Promise<Ended> {
    return this.startSetUp(env, args).ended
  }

  buildEngines(args: string[] = [], env: Record<string, string | undefined> = {}): Promise<Ended> {
    return run([join('scripts', 'build-engines.js'), ...args], { cwd: this.folder, env })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const npm = `
const fs = require('node:fs')
fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n')
if (process.env.NPM_OF_THE_TEST === 'offline') {
  console.error('npm error code ENOTFOUND')
  process.exit(1)
} else if (process.env.NPM_OF_THE_TEST === 'endless') {
  fs.writeFileSync('npm-pid', String(process.pid))
  setInterval(() => {}, 1000)
} else {
  fs.rmSync('node_modules', { recursive: true, force: true })
  fs.cpSync('linked', 'node_modules', { recursive: true, verbatimSymlinks: true })
}
`
