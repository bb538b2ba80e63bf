import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceError, SetupError } from '#src/errors.js'
import { loadChatTemplate, type TemplateMessage } from '#src/text/chat-template.js'
import { checkpoint, root } from '../root.js'

const golden = JSON.parse(readFileSync(join(root, 'test/golden/smollm2/tokenizer.json'), 'utf8')) as {
  chats: { name: string; messages: TemplateMessage[]; prompt: string }[]
}

describe('chat template of SmolLM2', () => {
  const template = loadChatTemplate(checkpoint('smollm2-135m-instruct'))
  for (const { name, messages, prompt } of golden.chats) {
    it(`renders the chat "${name}" as the reference does`, () => {
      assert.equal(template.render({ messages }), prompt)
    })
  }
})

describe('loadChatTemplate', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'template-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const load = (config: unknown, file?: string) => {
    if (config !== undefined) writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
    if (file !== undefined) writeFileSync(join(folder, 'chat_template.jinja'), file)
    return loadChatTemplate(folder)
  }
  const hello = [{ role: 'user', content: 'hello' }]

  it('prefers chat_template.jinja', () => {
    assert.equal(
      load({ chat_template: 'config' }, 'file: {{ messages[0].content }}').render({ messages: hello }),
      'file: hello',
    )
  })

  it('has Jinja’s line ends, and no byte order mark, after a Windows editor', () => {
    const source =
      "{% for m in messages %}\r\n  {{ m.role }}:\r\n{{ 'a\r\nb' }}{{ '\\r\\n' }}\r{% endfor %}\r\nend\r\n"
    // As jinja2 3.1 renders it with transformers' trim_blocks and lstrip_blocks.
    const rendered = '  user:\na\nb\r\n\nend'
    assert.equal(load({ chat_template: source }).render({ messages: hello }), rendered)
    assert.equal(load({}, `\ufeff${source}`).render({ messages: hello }), rendered)
    writeFileSync(join(folder, 'tokenizer_config.json'), '\ufeff{\r\n}\r\n')
    assert.equal(load(undefined, source).render({ messages: hello }), rendered)
  })

  it('takes the default of named templates, and the one for tools where there are tools or calls', () => {
    const named = [
      { name: 'tool_use', template: 'tools {{ tools | length }}' },
      { name: 'default', template: '{{ messages[0].role }}' },
    ]
    const template = load({ chat_template: named })
    assert.equal(template.render({ messages: hello }), 'user')
    const f = { type: 'function' as const, function: { name: 'f', parameters: {} } }
    assert.equal(template.render({ messages: hello, tools: [f] }), 'tools 1')
    const call = { id: 'a', type: 'function' as const, function: { name: 'f', arguments: {} } }
    const called = { role: 'assistant', content: '', tool_calls: [call] }
    assert.equal(template.render({ messages: [...hello, called] }), 'tools 0')
  })

  it('gives the template its special tokens, as text or as objects, and no tools', () => {
    const source =
      '{{ bos_token }}{{ eos_token }}{% if tools is none and add_generation_prompt %} yes{% endif %}'
    const config = { chat_template: source, bos_token: { content: '<s>' }, eos_token: '</s>' }
    assert.equal(load(config).render({ messages: hello }), '<s></s> yes')
    assert.equal(
      load({ chat_template: '[{{ bos_token }}]', bos_token: null }).render({ messages: hello }),
      '[]',
    )
  })

  it('gives it variables, and tells what it mentions', () => {
    const template = load({ chat_template: '{{ mood is defined }} {{ mood }}' })
    assert.equal(template.render({ messages: hello, variables: { mood: 'glad' } }), 'true glad')
    assert.equal(template.render({ messages: hello }), 'false ')
    assert.deepEqual(
      [template.mentions('mood is'), template.mentions(/mo.d/), template.mentions('moot')],
      [true, true, false],
    )
  })

  it('hands on what a template refuses, as a fault of the request', () => {
    const template = load({
      chat_template: "{{ raise_exception('Roles must alternate: ' + messages[0].role) }}",
    })
    assert.throws(
      () => template.render({ messages: hello }),
      (error) =>
        error instanceof ServiceError &&
        error.code === 'invalid_value' &&
        error.param === 'messages' &&
        error.message === 'Roles must alternate: user',
    )
  })

  const faults: [string, unknown, string | undefined, RegExp][] = [
    ['a missing configuration', undefined, undefined, /tokenizer_config\.json is missing/],
    ['a model without a template', {}, undefined, /tokenizer_config\.json has no chat template/],
    [
      'named templates without a default',
      { chat_template: [{ name: 'x', template: '' }] },
      undefined,
      /no chat temp/,
    ],
    ['a template that can not be parsed', {}, '{% for x in %}', /chat_template\.jinja can not be parsed/],
    ['a template beyond the limit', {}, ' '.repeat(131073), /chat_template\.jinja has 131073 characters/],
  ]
  for (const [name, config, file, message] of faults) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => load(config, file),
        (error) =>
          error instanceof SetupError && error.message.includes(folder) && message.test(error.message),
      )
    })
  }
})
