import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf, recordedDigests, verifyFile } from '#src/checkpoint/digest.js'
import { checkpoint } from '../root.js'
import { temporaryFolder } from './writers.js'

const a = 'a'.repeat(64)
const b = 'b'.repeat(64)

describe('checkpoint/digest', () => {
  const folder = temporaryFolder()
  const card = (text: string): Map<string, string> => {
    folder.write('README.md', text)
    return recordedDigests(folder.path)
  }

  it('finds a digest for every file of the embedded checkpoints: in the cards, in SHA256SUMS, or in both', () => {
    const folders = { 'whisper-base': 8, 'smollm2-135m-instruct': 8, 'kokoro-82m': 37 }
    for (const [name, count] of Object.entries(folders)) {
      const digests = recordedDigests(checkpoint(name))
      assert.equal(digests.size, count, name)
      for (const file of digests.keys()) assert.ok(existsSync(join(checkpoint(name), file)), file)
    }
    const weights = '5e702c2e1487ace895b5b18df2356d8150ef5e7ae5c2063c9f3162f2c6f4d110'
    assert.equal(recordedDigests(checkpoint('whisper-base')).get('model.safetensors'), weights)
  })

  it('reads tables and listings, and nothing else', () => {
    const table = `| file | sha |\n|---|---|\n| \`x.bin\` | 5 bytes, \`${a.toUpperCase()}\` |\n| y.bin | ${b} |`
    assert.deepEqual(Object.fromEntries(card(table)), { 'x.bin': a, 'y.bin': b })
    assert.deepEqual(Object.fromEntries(card(`\`\`\`\n${a}  d/x 1.bin\r\n${b} *y\n\`\`\`\n`)), {
      'd/x 1.bin': a,
      y: b,
    })
    for (const text of [
      `The source (\`x.bin\`, sha256 \`${a}\`).`,
      `${a}  x.bin`,
      `| \`x\`, \`y\` | ${a} |`,
      `| x | ${a} | ${b} |`,
      `| x | ${a}0 |`,
      `\`\`\`\n${a}0  x\n\`\`\``,
    ])
      assert.equal(card(text).size, 0, text)
    assert.equal(recordedDigests(join(folder.path, 'nowhere')).size, 0)
  })

  it('refuses a card that leaves its folder or contradicts itself', () => {
    for (const path of ['../x', '/etc/x', 'a/../../x', 'C:\\x', 'a\\x'])
      assert.throws(
        () => card(`| ${path} | ${a} |`),
        { name: 'SetupError', message: /outside the folder/ },
        path,
      )
    assert.throws(() => card(`| x | ${a} |\n| x | ${b} |`), {
      name: 'SetupError',
      message: /two different SHA-256 for x/,
    })
    assert.equal(card(`| x | ${a} |\n| x | ${a} |`).size, 1)
  })

  it('verifies a file, reports its bytes, and finds one flipped bit', async () => {
    const bytes = readFileSync(join(checkpoint('kokoro-82m'), 'lexicon', 'us_gold.json'))
    const recorded = recordedDigests(checkpoint('kokoro-82m')).get('lexicon/us_gold.json')
    assert.ok(recorded)
    const path = folder.write('us_gold.json', bytes)
    let read = 0
    await verifyFile(path, recorded, (more) => {
      read += more
    })
    assert.equal(read, bytes.length)
    assert.equal(await digestOf(path), createHash('sha256').update(bytes).digest('hex'))

    bytes[1_234_567] = bytes[1_234_567]! ^ 1
    folder.write('us_gold.json', bytes)
    const found = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
    const message = new RegExp(
      `us_gold\\.json has SHA-256 ${found}… where ${recorded.slice(0, 12)}… is recorded`,
    )
    await assert.rejects(verifyFile(path, recorded), { name: 'SetupError', message })
    await assert.rejects(verifyFile(`${folder.path}/none`, recorded), {
      name: 'SetupError',
      message: /none can not be read/,
    })
  })
})
