/** The service's API as the page uses it. What fails is an Error with a message that can be shown as it is. */

/** The service wants a key, or another one. */
export class KeyWanted extends Error {}

const keyName = 'api-key'

/** Kept for this tab alone: gone when it is closed. */
export const savedKey = {
  get: () => sessionStorage.getItem(keyName),
  /** @param {string} key */
  set: (key) => sessionStorage.setItem(keyName, key),
}

/**
 * @typedef {object} ModelHealth
 * @property {string} name
 * @property {'whisper' | 'llama' | 'kokoro'} family
 * @property {number} parameters
 * @property {string[]} [voices]
 */

/** @returns {Promise<{ version: string, runtime: string, models: ModelHealth[] }>} */
export async function health() {
  return (await call('health')).json()
}

/** Resolves when the service takes the key that is saved, or none. */
export async function checkKey() {
  await call('v1/models')
}

/**
 * @param {Blob} sound of any format
 * @param {string} model
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>} what it says
 */
export async function transcribe(sound, model, signal) {
  const body = new FormData()
  body.append('model', model)
  body.append('file', sound, sound instanceof File ? sound.name : 'recording.wav')
  const response = await call('v1/audio/transcriptions', { method: 'POST', body, signal })
  return (await response.json()).text
}

/**
 * The bytes of a spoken text as they come: 24 kHz, mono, 16 bit.
 * @param {{ model: string, input: string, voice: string, speed: number }} request
 * @param {AbortSignal} signal
 */
export async function* speech(request, signal) {
  const response = await postJson('v1/audio/speech', { ...request, response_format: 'pcm' }, signal)
  yield* piecesOf(response)
}

/**
 * The chunks of a streamed reply.
 * @param {object} request
 * @param {AbortSignal} signal
 */
export async function* chat(request, signal) {
  const response = await postJson('v1/chat/completions', { ...request, stream: true }, signal)
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of piecesOf(response)) {
    const events = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (event === 'data: [DONE]') return
      if (!event.startsWith('data: ')) continue // a comment: still at work
      const chunk = JSON.parse(event.slice(6))
      if (chunk.error) throw new Error(chunk.error.message)
      yield chunk
    }
  }
  throw new Error('The connection was cut before the answer was complete.')
}

/** @param {Response} response */
async function* piecesOf(response) {
  // Not every browser can iterate over a body.
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } catch (error) {
    throw unreachable(error)
  } finally {
    reader.releaseLock()
  }
}

/**
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} signal
 */
function postJson(path, body, signal) {
  const headers = { 'content-type': 'application/json' }
  return call(path, { method: 'POST', headers, body: JSON.stringify(body), signal })
}

/**
 * @param {string} path
 * @param {{ method?: string, headers?: Record<string, string>, body?: BodyInit, signal?: AbortSignal | undefined }} [init]
 */
async function call(path, { headers, signal, ...init } = {}) {
  const key = savedKey.get()
  let response
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...headers, ...(key ? { authorization: `Bearer ${key}` } : {}) },
      signal: signal ?? null,
    })
  } catch (error) {
    throw unreachable(error)
  }
  if (response.ok) return response
  const message = await failureOf(response)
  throw response.status === 401 ? new KeyWanted(message) : new Error(message)
}

/** @param {unknown} error of a request that was given up, or that never came through */
function unreachable(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return error
  return new Error('The service can not be reached. Is it running?', { cause: error })
}

/** @param {Response} response */
async function failureOf(response) {
  const text = await response.text()
  if (response.headers.get('content-type')?.startsWith('application/json'))
    return sentenceOf(JSON.parse(text).error)
  return `The service, or something before it, answers ${response.status} ${response.statusText}.`
}

/** The name of the field at fault means nothing here. @param {{ message: string, param: string | null }} error */
function sentenceOf({ message, param }) {
  if (param === null || !message.startsWith(`${param}: `)) return message
  const words = message.slice(param.length + 2)
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}
