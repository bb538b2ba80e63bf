/**
 * A checkpoint's description: config.json and the tokenizer's files. A GGUF file has it within itself; what is missing
 * beside it is made of that, in the engine's folder and never in the checkpoint's.
 */
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { filesIn } from '../runtime/store.js'
import { ggufConfig, ggufModelType } from './gguf-config.js'
import { ggufTokenizer } from './gguf-tokenizer.js'
import { isStub, writtenConfig } from './sources.js'

/** Files without which a GGUF's folder is completed. */
const needed = ['config.json', 'tokenizer.json', 'tokenizer_config.json']

/**
 * The folder with the whole description of a checkpoint: `folder`, or `building` with what `folder` has of it and the
 * files that were made.
 * @throws SetupError when the GGUF's metadata do not suffice
 */
export function describe(folder: string, checkpoint: Checkpoint, building: string): string {
  const config = writtenConfig(folder)
  const own = filesIn(folder).filter(
    (name) => /^[^/]+\.(json|jinja)$/.test(name) && !(name === 'config.json' && config && isStub(config)),
  )
  const complete = needed.every((name) => own.includes(name))
  if (complete || ggufModelType(checkpoint.metadata) === undefined) return folder
  for (const name of own) copyFileSync(join(folder, name), join(building, name))
  const make = (name: string, content: object) => {
    const path = join(building, name)
    if (!existsSync(path))
      writeFileSync(path, JSON.stringify(content, null, name === 'tokenizer.json' ? 0 : 2))
  }
  make('config.json', ggufConfig(checkpoint, folder))
  if (own.includes('tokenizer.json') && own.includes('tokenizer_config.json')) return building
  for (const [name, content] of Object.entries(ggufTokenizer(checkpoint.metadata, folder)))
    make(name, content)
  return building
}
