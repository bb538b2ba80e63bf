/** Conversation → prompt text, by the checkpoint's own Jinja template. */
import { join } from 'node:path'
import { Template } from '@huggingface/jinja'
import { ServiceError, SetupError } from '../errors.js'
import { isObject, type JsonObject, readJsonObject, readTextIfPresent } from './json-file.js'

export interface TemplateMessage {
  role: string
  content: string
}

export interface ChatTemplate {
  /**
   * The prompt for the assistant's next message. Its special tokens are written out: encode it with nothing added.
   * A template that refuses the conversation (`raise_exception`) is a ServiceError `invalid_value` at `messages`.
   */
  render(messages: readonly TemplateMessage[]): string
}

/** Characters of a template, well above those in use: parsing and rendering take time by its size. */
const longest = 128 * 1024

/** Loads chat_template.jinja, else tokenizer_config.json's `chat_template`; SetupError naming the file at fault. */
export function loadChatTemplate(folder: string): ChatTemplate {
  const config = readJsonObject(folder, 'tokenizer_config.json')
  const file = readTextIfPresent(folder, 'chat_template.jinja')
  const path = join(folder, file === undefined ? 'tokenizer_config.json' : 'chat_template.jinja')
  const source = file ?? sourceIn(config, path)
  if (source.length > longest) {
    throw new SetupError(
      `The chat template in ${path} has ${source.length} characters, the limit is ${longest}.`,
    )
  }
  let template: Template
  try {
    template = new Template(source)
  } catch (cause) {
    throw new SetupError(`The chat template in ${path} can not be parsed: ${String(cause)}.`, { cause })
  }
  // The library's own raise_exception throws a plain Error, as its faults are, and can only be hidden from within.
  template.parsed.body.unshift(...new Template('{% set raise_exception = refuse %}').parsed.body)
  const constants = {
    add_generation_prompt: true,
    bos_token: tokenText(config.bos_token),
    eos_token: tokenText(config.eos_token),
    tools: null,
    documents: null,
    refuse: (message: unknown) => {
      throw new ServiceError('invalid_value', String(message), 'messages')
    },
  }
  return { render: (messages) => template.render({ ...constants, messages }) }
}

/** `chat_template` is a string, or a list of named ones of which `default` is the plain chat. */
function sourceIn(config: JsonObject, path: string): string {
  const entry = config.chat_template
  if (typeof entry === 'string') return entry
  if (Array.isArray(entry)) {
    const named: unknown = entry.find((item: unknown) => isObject(item) && item.name === 'default')
    if (isObject(named) && typeof named.template === 'string') return named.template
  }
  throw new SetupError(
    `${path} has no chat template: choose a model made for chat, or add chat_template.jinja.`,
  )
}

/** A special token is written as its text, or as an object with `content`; null and absent give an empty text. */
function tokenText(token: unknown): string {
  if (typeof token === 'string') return token
  return isObject(token) && typeof token.content === 'string' ? token.content : ''
}
