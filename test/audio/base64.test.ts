import assert from 'node:assert/strict'
import { decodeBase64 } from '#src/audio/base64.js'
import { ServiceError } from '#src/errors.js'

describe('audio/base64', () => {
  it('decodes what Buffer encodes, for every length to 100', () => {
    for (let length = 0; length <= 100; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length * 101) & 0xff))
      assert.ok(bytes.equals(decodeBase64(bytes.toString('base64'), 'data')))
    }
  })

  it("decodes RFC 4648's examples", () => {
    for (const [text, plain] of [
      ['', ''],
      ['Zg==', 'f'],
      ['Zm8=', 'fo'],
      ['Zm9v', 'foo'],
      ['Zm9vYg==', 'foob'],
      ['Zm9vYmE=', 'fooba'],
      ['Zm9vYmFy', 'foobar'],
    ] as const)
      assert.equal(Buffer.from(decodeBase64(text, 'data')).toString(), plain)
  })

  const cut = (length: number): string =>
    `the base64 text has ${length} characters, which is no multiple of 4: it is cut or its padding (=) is missing or wrong`
  const damaged = 'the last base64 character has bits that belong to no byte: the text is damaged'
  const padding = 'padding may stand only at the end, at most twice'
  const table: [string, string][] = [
    ['data:audio/wav;base64,Zm9v', 'this is a data URL; send only the base64 text that follows its comma'],
    ['DATA:;base64,Zm9v', 'this is a data URL; send only the base64 text that follows its comma'],
    ['Zm9v\nYmFy', 'character 5 of the base64 text is "\\n": send it without spaces and line breaks'],
    ['Zm9v ', 'character 5 of the base64 text is " ": send it without spaces and line breaks'],
    [
      'Zm-v',
      'character 3 of the base64 text is "-": that is the URL-safe alphabet; use the standard one, with + and /',
    ],
    [
      'Z_9v',
      'character 2 of the base64 text is "_": that is the URL-safe alphabet; use the standard one, with + and /',
    ],
    ['Zm9*', 'character 4 of the base64 text is "*", which is not in the base64 alphabet'],
    ['Zm9😀', 'character 4 of the base64 text is "😀", which is not in the base64 alphabet'],
    ['Zg==Zg==', `character 3 of the base64 text is "=": ${padding}`],
    ['Z===', `character 2 of the base64 text is "=": ${padding}`],
    ['====', `character 1 of the base64 text is "=": ${padding}`],
    ['Zg', cut(2)],
    ['Zg=', cut(3)],
    ['Zm9vY', cut(5)],
    ['Zm9v=', cut(5)],
    ['Zm9v==', cut(6)],
    ['==', cut(2)],
    ['=', cut(1)],
    ['Zh==', damaged],
    ['Zm9=', damaged],
  ]
  for (const [text, message] of table)
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => decodeBase64(text, 'data'),
        (error) => {
          assert.ok(error instanceof ServiceError)
          assert.deepEqual(
            [error.code, error.param, error.message],
            ['invalid_base64', 'data', `data: ${message}`],
          )
          return true
        },
      )
    })

  it('never quotes the text back at length', () => {
    assert.throws(
      () => decodeBase64(`${'A'.repeat(1_000_000)}!`, 'data'),
      (error) => error instanceof ServiceError && error.message.length < 200,
    )
  })
})
