/** A copy of the compiled program in a folder of its own, where a test may put an addon beside it or change a module. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../root.js'

export class House {
  readonly folder = mkdtempSync(join(tmpdir(), 'house-'))
  readonly addon = join(this.folder, 'native', 'build', 'tensorrt.node')

  constructor() {
    cpSync(join(root, 'dist'), join(this.folder, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(this.folder, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
    mkdirSync(join(this.folder, 'native', 'build'), { recursive: true })
  }

  /** Puts the addon of a build where the program looks for it. */
  install(addon: string): void {
    rmSync(this.addon, { force: true })
    symlinkSync(addon, this.addon)
  }

  /** Writes another text in place of a module of dist/. */
  replace(module: string, code: string): void {
    writeFileSync(join(this.folder, 'dist', module), code)
  }

  url(module: string): URL {
    return pathToFileURL(join(this.folder, 'dist', module))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }
}
