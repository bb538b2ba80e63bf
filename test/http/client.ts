/** Clients of a running service: OpenAI's own, and a plain one that sees the wire. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OpenAI } from 'openai'
import { root } from '../root.js'

/** Where a service listens. */
type Service = { readonly url: string }
export type Completion = OpenAI.Chat.ChatCompletion
type Messages = OpenAI.Chat.ChatCompletionMessageParam[]

export interface Failure {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly completion: Completion
  readonly error: Failure
}

export interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

export const chatPath = '/v1/chat/completions'

export const openai = (service: Service, apiKey = 'any'): OpenAI =>
  new OpenAI({ baseURL: `${service.url}/v1`, apiKey, maxRetries: 0 })

/** Any request, of any body; every reply has to be JSON and to have an id. */
export async function send(
  service: Service,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  { method = body === undefined ? 'GET' : 'POST', headers = {}, signal }: Sent = {},
): Promise<Answer> {
  const response = await fetch(service.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
    ...(signal ? { signal } : {}),
  })
  const text = await response.text()
  assert.match(response.headers.get('x-request-id') ?? '', /^[\w.:-]{1,128}$/)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  const parsed = JSON.parse(text) as Completion & { error: Failure }
  return { status: response.status, headers: response.headers, text, completion: parsed, error: parsed.error }
}

/** A chat request as JSON. */
export const post = (service: Service, body: unknown, sent: Sent = {}): Promise<Answer> =>
  send(service, chatPath, JSON.stringify(body), sent)

/** A chat request that is answered with 200. */
export async function complete(service: Service, body: object): Promise<Completion> {
  const { status, completion, text } = await post(service, body)
  assert.equal(status, 200, text)
  return completion
}

export const asked = (content: unknown, more: object = {}): object => ({
  messages: [{ role: 'user', content }] as Messages,
  temperature: 0,
  ...more,
})
export const replyOf = (completion: Completion): string => completion.choices[0]?.message.content ?? ''

/** What a reply has taken, whatever earlier requests have left behind to begin with. */
export function taken({ usage }: Pick<OpenAI.Chat.ChatCompletionChunk, 'usage'>): object {
  const { cached_tokens = 0, ...details } = usage!.prompt_tokens_details!
  assert.ok(cached_tokens < usage!.prompt_tokens, `${cached_tokens} of ${usage!.prompt_tokens} tokens`)
  return { ...usage, prompt_tokens_details: details }
}

export const spoken = { modalities: ['text', 'audio'] }

/** The audio of a spoken reply. */
export function audioOf(completion: Completion) {
  const audio = completion.choices[0]?.message.audio
  assert.ok(audio, 'the reply is not spoken')
  return { ...audio, bytes: Buffer.from(audio.data, 'base64') }
}

const clips = join(root, 'test/audio/clips')
export const transcripts = JSON.parse(readFileSync(join(clips, 'transcripts.json'), 'utf8')) as Record<
  string,
  string
>
export const text = (value: string) => ({ type: 'text', text: value })
export const recording = (wav: Uint8Array, format = 'wav') => ({
  type: 'input_audio',
  input_audio: { data: Buffer.from(wav).toString('base64'), format },
})
export const clipBytes = (name: string): Buffer => readFileSync(join(clips, name))
export const clip = (name: string) => recording(clipBytes(name))

/** (substitutions + deletions + insertions) / words said; case and punctuation do not count. */
export function wordErrorRate(said: string, heard: string): number {
  const words = (sentence: string) => sentence.toLowerCase().match(/[\p{L}\p{N}'’]+/gu) ?? []
  const [a, b] = [words(said), words(heard)]
  let row = b.map((_, j) => j + 1)
  row.unshift(0)
  for (const [i, word] of a.entries()) {
    const next = [i + 1]
    for (const [j, other] of b.entries())
      next.push(Math.min(row[j]! + (word === other ? 0 : 1), row[j + 1]! + 1, next[j]! + 1))
    row = next
  }
  return row.at(-1)! / a.length
}
