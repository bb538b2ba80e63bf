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
const tool = (value: object) => field('tools', [{ type: 'function', function: { name: 'f', ...value } }])
const call = (value: object) =>
  message({ role: 'assistant', tool_calls: [{ id: 'call_1', type: 'function', function: value }] })
const schema = (value: object) =>
  field('response_format', { type: 'json_schema', json_schema: { name: 'answer', ...value } })

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
  [schema({ schema: true }), 'response_format.json_schema.schema', "schema': must be object, not a boolean"],
  [field('tools', ['f']), 'tools[0]', "'tools[0]': must be object, not a string"],
  [tool({ name: 7 }), 'tools[0].function.name', "'tools[0].function.name': must be string, not a number"],
  [tool({ parameters: [] }), 'tools[0].function.parameters', "parameters': must be object, not an array"],
  [tool({ strict: 'yes' }), 'tools[0].function.strict', "strict': must be boolean, not a string"],
  [field('tool_choice', 7), 'tool_choice', "'tool_choice': must be string or null or object, not a number"],
  [field('parallel_tool_calls', 1), 'parallel_tool_calls', "': must be boolean, not a number"],
  [field('logprobs', 5), 'logprobs', "'logprobs': must be boolean, not a number"],
  [field('logit_bias', [1]), 'logit_bias', "'logit_bias': must be object, not an array"],
  [field('logit_bias', { 7: 'x' }), 'logit_bias.7', "'logit_bias.7': must be number, not a string"],
  [field('metadata', { a: 1 }), 'metadata.a', "'metadata.a': must be string, not a number"],
  [field('store', 'no'), 'store', "'store': must be boolean, not a string"],
  [
    call({ name: 'f', arguments: {} }),
    'messages[0].tool_calls[0].function.arguments',
    "function.arguments': must be string, not an object",
  ],
]

const wrongValues: Row[] = [
  [{ messages: [] }, 'messages', "'messages': must NOT have fewer than 1 items"],
  [content([]), 'messages[0].content', "'messages[0].content': must NOT have fewer than 1 items"],
  [
    message({ role: 'robot', content: 'Hi.' }),
    'messages[0].role',
    '\'messages[0].role\': "robot"; supported are system, developer, user, assistant, tool',
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
  [field('n', 129), 'n', "'n': must be <= 128, not 129"],
  [field('frequency_penalty', 2.5), 'frequency_penalty', 'must be <= 2, not 2.5'],
  [field('presence_penalty', -3), 'presence_penalty', 'must be >= -2, not -3'],
  [field('top_logprobs', 21), 'top_logprobs', 'must be <= 20, not 21'],
  [field('logit_bias', { 7: 101 }), 'logit_bias.7', "'logit_bias.7': must be <= 100, not 101"],
  [field('logit_bias', { the: 1 }), 'logit_bias', 'must match pattern "^(0|[1-9][0-9]*)$", not "the"'],
  [
    field('reasoning_effort', 'huge'),
    'reasoning_effort',
    '"huge"; supported are none, minimal, low, medium, high, xhigh, max.',
  ],
  [field('verbosity', 'long'), 'verbosity', '"long"; supported are low, medium, high.'],
  [
    field('service_tier', 'slow'),
    'service_tier',
    '"slow"; supported are auto, default, flex, scale, priority, fast.',
  ],
  [field('tools', Array(129).fill({})), 'tools', "'tools': must NOT have more than 128 items"],
  [field('tools', [{ type: 'custom', custom: {} }]), 'tools[0].type', '"custom"; supported are function.'],
  [tool({ name: 'get weather' }), 'tools[0].function.name', 'not "get weather"'],
  [tool({ name: '' }), 'tools[0].function.name', 'must match pattern "^[a-zA-Z0-9_-]{1,64}$", not ""'],
  [tool({ name: 'f'.repeat(65) }), 'tools[0].function.name', 'must match pattern'],
  [
    tool({ parameters: { type: 'array' } }),
    'tools[0].function.parameters.type',
    'must be "object", not "array"',
  ],
  [field('tool_choice', 'always'), 'tool_choice', '"always"; supported are none, auto, required.'],
  [
    field('tool_choice', { type: 'custom', custom: { name: 'f' } }),
    'tool_choice.type',
    '"custom"; supported are function, allowed_tools.',
  ],
  [
    field('tool_choice', { type: 'allowed_tools', allowed_tools: { mode: 'none', tools: [] } }),
    'tool_choice.allowed_tools.mode',
    '"none"; supported are auto, required.',
  ],
  [
    field('response_format', { type: 'grammar' }),
    'response_format.type',
    '"grammar"; supported are text, json_object, json_schema.',
  ],
  [schema({ name: 'an answer' }), 'response_format.json_schema.name', 'not "an answer"'],
  [call({ name: 'a b', arguments: '{}' }), 'messages[0].tool_calls[0].function.name', 'not "a b"'],
  [
    field('metadata', Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, '']))),
    'metadata',
    'must NOT have more than 16 properties',
  ],
  [field('metadata', { ['k'.repeat(65)]: '' }), 'metadata', 'must NOT have more than 64 characters'],
  [field('metadata', { 'a/b~c': 'v'.repeat(513) }), 'metadata.a/b~c', 'more than 512 characters'],
  [field('safety_identifier', 'x'.repeat(65)), 'safety_identifier', 'more than 64 characters'],
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
  [
    field('response_format', { type: 'json_schema' }),
    'response_format.json_schema',
    "'response_format.json_schema'",
  ],
  [schema({ name: undefined }), 'response_format.json_schema.name', "json_schema.name'"],
  [field('tools', [{ function: { name: 'f' } }]), 'tools[0].type', "'tools[0].type'"],
  [field('tools', [{ type: 'function' }]), 'tools[0].function', "'tools[0].function'"],
  [tool({ name: undefined }), 'tools[0].function.name', "'tools[0].function.name'"],
  [
    field('tool_choice', { type: 'function', function: {} }),
    'tool_choice.function.name',
    "'tool_choice.function.name'",
  ],
  [message({ role: 'tool', content: 'x' }), 'messages[0].tool_call_id', "'messages[0].tool_call_id'"],
  [message({ role: 'tool', tool_call_id: 'x' }), 'messages[0].content', "'messages[0].content'"],
  [call({ name: 'f' }), 'messages[0].tool_calls[0].function.arguments', "function.arguments'"],
  [
    message({ role: 'assistant', tool_calls: [{ type: 'function', function: {} }] }),
    'messages[0].tool_calls[0].id',
    "'messages[0].tool_calls[0].id'",
  ],
  [field('prediction', { type: 'content' }), 'prediction.content', "'prediction.content'"],
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
      field('metadata', { a: '1' }),
      field('user', 'u'),
      field('service_tier', 'flex'),
      field('prediction', { type: 'content', content: [{ type: 'text', text: 'x' }] }),
      field('reasoning_effort', 'xhigh'),
      field('logit_bias', { 0: -100, 50256: 1.5 }),
      field('response_format', { type: 'json_object' }),
      schema({ description: 'd', schema: { type: 'object' }, strict: true }),
      tool({ description: 'd', parameters: { type: 'object', properties: {} }, strict: true }),
      tool({ description: null, parameters: null, strict: null }),
      field('tool_choice', { type: 'function', function: { name: 'f' } }),
      field('tool_choice', {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
      }),
      call({ name: 'f', arguments: '' }),
      message({ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }], tool_calls: [] }),
      message({ role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'x' }] }),
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
    const others = ['top_logprobs', 'frequency_penalty', 'presence_penalty', 'logit_bias', 'tool_choice']
    const rest = ['parallel_tool_calls', 'reasoning_effort', 'verbosity', 'service_tier', 'prediction']
    const last = ['metadata', 'store', 'user', 'stream_options', 'function_call', 'max_tokens']
    const nulls = Object.fromEntries(
      [...names, ...more, ...others, ...rest, ...last].map((name) => [name, null]),
    )
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
