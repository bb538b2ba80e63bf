import assert from 'node:assert/strict'
import { ServiceError } from '#src/errors.js'
import { type ChatBody, chatSchema } from '#src/http/chat-schema.js'
import { validator } from '#src/http/validate.js'

const validate = validator<ChatBody>(chatSchema)

/** Bodies, and what the client is told: the field at fault, and the sentence about it. */
type Row = [body: unknown, param: string | null, sentence: string]

const hi = { role: 'user', content: 'Hi.' }
const message = (value: unknown) => ({ messages: [value] })
const content = (value: unknown) => message({ role: 'user', content: value })
const part = (value: unknown) => content([{ type: 'text', text: 'Hi.' }, value])
const audio = (value: unknown) => part({ type: 'input_audio', input_audio: value })
const field = (name: string, value: unknown) => ({ messages: [hi], [name]: value })

const wrongTypes: Row[] = [
  [null, null, "'the body': must be object, not null"],
  [[], null, "'the body': must be object, not an array"],
  ['Hi.', null, "'the body': must be object, not a string"],
  [{ messages: 'Hi.' }, 'messages', "'messages': must be array, not a string"],
  [{ messages: null }, 'messages', "'messages': must be array, not null"],
  [message(null), 'messages[0]', "'messages[0]': must be object, not null"],
  [message('Hi.'), 'messages[0]', "'messages[0]': must be object, not a string"],
  [content(7), 'messages[0].content', "'messages[0].content': must be string or array, not a number"],
  [content(null), 'messages[0].content', "'messages[0].content': must be string or array, not null"],
  [part('Hi.'), 'messages[0].content[1]', "'messages[0].content[1]': must be object, not a string"],
  [
    part({ type: 'text', text: false }),
    'messages[0].content[1].text',
    "'messages[0].content[1].text': must be string, not a boolean",
  ],
  [audio('UklGRg=='), 'messages[0].content[1].input_audio', "input_audio': must be object, not a string"],
  [
    audio({ data: 7, format: 'wav' }),
    'messages[0].content[1].input_audio.data',
    "data': must be string, not a number",
  ],
  [
    message({ role: 'assistant', audio: 'x' }),
    'messages[0].audio',
    "'messages[0].audio': must be object, not a string",
  ],
  [
    message({ role: 'assistant', audio: { id: 7 } }),
    'messages[0].audio.id',
    "id': must be string, not a number",
  ],
  [field('model', 7), 'model', "'model': must be string, not a number"],
  [field('modalities', 'audio'), 'modalities', "'modalities': must be array, not a string"],
  [field('audio', 'alloy'), 'audio', "'audio': must be object, not a string"],
  [
    field('audio', { voice: ['alloy'] }),
    'audio.voice',
    "'audio.voice': must be string or object or null, not an array",
  ],
  [field('max_tokens', '5'), 'max_tokens', "'max_tokens': must be integer, not a string"],
  [field('max_completion_tokens', true), 'max_completion_tokens', "': must be integer, not a boolean"],
  [field('temperature', '0'), 'temperature', "'temperature': must be number, not a string"],
  [field('top_p', {}), 'top_p', "'top_p': must be number, not an object"],
  [field('seed', '1'), 'seed', "'seed': must be integer, not a string"],
  [field('stop', 7), 'stop', "'stop': must be string or array or null, not a number"],
  [field('stop', ['a', 7]), 'stop[1]', "'stop[1]': must be string, not a number"],
  [field('stream', 'yes'), 'stream', "'stream': must be boolean, not a string"],
  [field('n', '1'), 'n', "'n': must be integer, not a string"],
  [field('tools', {}), 'tools', "'tools': must be array, not an object"],
  [field('response_format', 'text'), 'response_format', "'response_format': must be object, not a string"],
]

const wrongValues: Row[] = [
  [{ messages: [] }, 'messages', "'messages': must NOT have fewer than 1 items"],
  [content([]), 'messages[0].content', "'messages[0].content': must NOT have fewer than 1 items"],
  [
    message({ role: 'robot', content: 'Hi.' }),
    'messages[0].role',
    '\'messages[0].role\': "robot"; supported are system, developer, user, assistant',
  ],
  [
    part({ type: 'image_url', image_url: {} }),
    'messages[0].content[1].type',
    '"image_url"; supported are text, input_audio',
  ],
  [
    message({
      role: 'system',
      content: [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }],
    }),
    'messages[0].content[0].type',
    '"input_audio"; supported are text',
  ],
  [
    audio({ data: '', format: 'wav' }),
    'messages[0].content[1].input_audio.data',
    'fewer than 1 characters, not ""',
  ],
  [
    message({ role: 'assistant', audio: { id: '' } }),
    'messages[0].audio.id',
    'fewer than 1 characters, not ""',
  ],
  [field('model', 'm'.repeat(257)), 'model', "'model': must NOT have more than 256 characters"],
  [field('modalities', []), 'modalities', 'must NOT have fewer than 1 items'],
  [field('modalities', ['text', 'video']), 'modalities[1]', '"video"; supported are text, audio'],
  [field('modalities', ['text', 'text']), 'modalities', 'must NOT have duplicate items'],
  [field('max_tokens', 0), 'max_tokens', "'max_tokens': must be >= 1, not 0"],
  [field('max_tokens', 1.5), 'max_tokens', "'max_tokens': must be integer"],
  [field('max_completion_tokens', -1), 'max_completion_tokens', 'must be >= 1, not -1'],
  [field('temperature', 2.1), 'temperature', "'temperature': must be <= 2, not 2.1"],
  [field('temperature', -0.1), 'temperature', "'temperature': must be >= 0, not -0.1"],
  [field('top_p', 1.1), 'top_p', "'top_p': must be <= 1, not 1.1"],
  [field('seed', 1.5), 'seed', "'seed': must be integer"],
  [field('stop', ''), 'stop', 'must NOT have fewer than 1 characters, not ""'],
  [field('stop', ['a', 'b', 'c', 'd', 'e']), 'stop', "'stop': must NOT have more than 4 items"],
  [field('n', 0), 'n', "'n': must be >= 1, not 0"],
]

const missing: Row[] = [
  [{}, 'messages', "'messages'"],
  [message({}), 'messages[0].role', "'messages[0].role'"],
  [{ messages: [hi, { role: 'user' }] }, 'messages[1].content', "'messages[1].content'"],
  [part({}), 'messages[0].content[1].type', "'messages[0].content[1].type'"],
  [part({ type: 'text' }), 'messages[0].content[1].text', "'messages[0].content[1].text'"],
  [part({ type: 'input_audio' }), 'messages[0].content[1].input_audio', "[1].input_audio'"],
  [audio({ format: 'wav' }), 'messages[0].content[1].input_audio.data', "input_audio.data'"],
  [audio({ data: 'AA==' }), 'messages[0].content[1].input_audio.format', "input_audio.format'"],
  [message({ role: 'assistant', audio: {} }), 'messages[0].audio.id', "'messages[0].audio.id'"],
  [field('response_format', {}), 'response_format.type', "'response_format.type'"],
]

function check([body, param, sentence]: Row, code: string, opening: string): void {
  assert.throws(
    () => validate(body),
    (error: unknown) => {
      assert.ok(error instanceof ServiceError, String(error))
      assert.deepEqual({ code: error.code, param: error.param }, { code, param })
      assert.ok(error.message.startsWith(opening) && error.message.includes(sentence), error.message)
      assert.ok(error.message.endsWith('.') && error.message.length < 300, error.message)
      return true
    },
  )
}
const title = ([body]: Row) => JSON.stringify(body).slice(0, 100)

describe('http/chat-schema', () => {
  for (const row of wrongTypes)
    it(`names field and type: ${title(row)}`, () => check(row, 'invalid_value', 'Invalid type for '))
  for (const row of wrongValues)
    it(`names field and value: ${title(row)}`, () => check(row, 'invalid_value', 'Invalid '))
  for (const row of missing)
    it(`names the field that is missing: ${title(row)}`, () =>
      check(row, 'missing_required_parameter', 'Missing required parameter: '))

  it('accepts everything that the API describes, null for absent, and fields it does not know', () => {
    for (const body of [
      { messages: [hi] },
      content([{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }]),
      {
        messages: ['system', 'developer', 'user', 'assistant'].map((role) => ({
          role,
          content: 'x',
          name: 'n',
        })),
      },
      message({ role: 'assistant', content: null, audio: { id: 'audio_1', data: 'x' } }),
      message({ role: 'assistant', content: [{ type: 'text', text: '' }], audio: null }),
      field('modalities', ['audio', 'text']),
      field('audio', { voice: null, format: null }),
      field('stop', null),
      field('stop', 'END'),
      field('temperature', 0),
      field('seed', -7),
      field('tools', []),
      field('store', false),
      field('metadata', { a: 1 }),
    ])
      assert.equal(validate(body), body)
    const names = [
      'model',
      'modalities',
      'audio',
      'max_tokens',
      'max_completion_tokens',
      'temperature',
      'top_p',
    ]
    const more = ['seed', 'stop', 'stream', 'n', 'tools', 'functions', 'response_format', 'logprobs']
    const nulls = Object.fromEntries([...names, ...more].map((name) => [name, null]))
    validate({ messages: [hi], ...nulls })
  })

  it('reports the mistake that the sender made, not the alternatives beside it', () => {
    const several = { messages: [hi, { role: 'user', content: [{ type: 'text', text: 7 }] }], temperature: 9 }
    assert.throws(() => validate(several), /temperature|messages\[1\]\.content\[0\]\.text/)
  })

  it('shortens a long value', () => {
    assert.throws(
      () => validate(field('modalities', ['v'.repeat(10_000)])),
      (error: Error) => error.message.length < 200,
    )
  })
})
