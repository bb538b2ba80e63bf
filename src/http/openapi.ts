/** GET /openapi.json: the API described with the very schemas that requests are checked with. */
import type { RequestHandler } from 'express'
import { mediaTypes } from '../audio/encode.js'
import { failures } from '../errors.js'
import { chatSchema } from './chat-schema.js'
import { answerSchemas, reference } from './openapi-answers.js'
import { speechSchema } from './speech.js'
import { transcriptionSchema, unsupportedFields } from './transcriptions.js'
import { unsupportedUses } from './unsupported.js'

type Keywords = Readonly<Record<string, unknown>>

const json = (name: string) => ({ 'application/json': { schema: reference(name) } })
/** Of each event: the schema describes the JSON after `data: `. A failure after the first event is an event, too. */
const events = (name: string) => ({
  'text/event-stream': { schema: { anyOf: [reference(name), reference('Error')] } },
})

const answer = (description: string, content: object) => ({ description, headers, content })
const header = (description: string, type = 'string') => ({ description, schema: { type } })
const headers = {
  'x-request-id': header('The id of the request in the log; yours, if you send one.'),
  'openai-processing-ms': header('Milliseconds until the answer began.', 'integer'),
  'openai-version': header('The version of OpenAI’s API.'),
}

/** By status; failures of the same status are told apart by their code. A client that has gone gets no answer. */
const failureResponses: Readonly<Record<string, object>> = Object.fromEntries(
  [...new Set(Object.values(failures).map(({ http }) => http))]
    .filter((status) => status !== failures.request_cancelled.http)
    .map((status) => {
      const codes = Object.entries(failures).flatMap(([code, { http }]) => (http === status ? code : []))
      return [status, answer(`${codes.join(', ')}.`, json('Error'))]
    }),
)
const failureReferences = Object.fromEntries(
  Object.keys(failureResponses).map((status) => [status, { $ref: `#/components/responses/${status}` }]),
)

/** Every path and method, except the page and its files. */
const operations: Readonly<Record<string, Readonly<Record<string, Keywords>>>> = {
  '/health': {
    get: {
      operationId: 'getHealth',
      summary: 'What runs here. Needs no key.',
      security: [],
      answers: json('Health'),
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'getDescription',
      summary: 'This description. Needs no key.',
      security: [],
      answers: { 'application/json': { schema: { type: 'object', required: ['openapi', 'info', 'paths'] } } },
    },
  },
  '/v1/models': {
    get: { operationId: 'listModels', summary: 'The loaded models.', answers: json('ModelList') },
  },
  '/v1/models/{id}': {
    get: {
      operationId: 'retrieveModel',
      summary: 'One model. Any name means the one that does the work, unless names are strict.',
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      answers: json('Model'),
    },
  },
  '/v1/chat/completions': {
    post: {
      operationId: 'createChatCompletion',
      summary: 'Answers, written or spoken, to a conversation with recordings; streamed, where asked for.',
      description: `Beside the schema, else it is a 400: ${unsupportedUses.join('; ')}.`,
      requestBody: { required: true, content: json('ChatCompletionRequest') },
      answers: { ...json('ChatCompletion'), ...events('ChatCompletionChunk') },
    },
  },
  '/v1/audio/speech': {
    post: {
      operationId: 'createSpeech',
      summary: 'A text spoken, sent while it is made.',
      requestBody: { required: true, content: json('SpeechRequest') },
      answers: {
        ...Object.fromEntries(Object.values(mediaTypes).map((type) => [type, {}])),
        ...events('SpeechEvent'),
      },
    },
  },
  '/v1/audio/voices': {
    get: {
      operationId: 'listVoices',
      summary: 'The voices to speak with, OpenAI’s names first.',
      answers: json('VoiceList'),
    },
  },
  '/v1/audio/models': {
    get: {
      operationId: 'listSpeechModels',
      summary: 'The model that speaks.',
      answers: json('SpeechModels'),
    },
  },
  '/v1/audio/transcriptions': {
    post: {
      operationId: 'createTranscription',
      summary: 'A recording as text.',
      description: `Not supported, a 400: ${unsupportedFields.join(', ')}, stream=true.`,
      requestBody: {
        required: true,
        content: { 'multipart/form-data': { schema: reference('TranscriptionRequest') } },
      },
      answers: { ...json('Transcription'), 'text/plain': { schema: { type: 'string' } } },
    },
  },
}

/** @param version of the service */
export function description(version: string): object {
  const paths = Object.entries(operations).map(([path, methods]) => [
    path,
    Object.fromEntries(
      Object.entries(methods).map(([method, { answers, ...operation }]) => [
        method,
        { ...operation, responses: { 200: answer('The answer.', answers as object), ...failureReferences } },
      ]),
    ),
  ])
  return {
    openapi: '3.1.0',
    info: {
      title: 'simple-audio-service',
      version,
      description: 'OpenAI’s API, heard, thought and spoken here.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.' }],
    security: [{}, { key: [] }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'Needed only where the operator has set API_KEY.',
        },
      },
      responses: failureResponses,
      schemas: {
        ChatCompletionRequest: modern(chatSchema),
        SpeechRequest: modern(speechSchema),
        TranscriptionRequest: modern({
          ...transcriptionSchema,
          required: [...transcriptionSchema.required, 'file'],
          properties: { ...transcriptionSchema.properties, file: { type: 'string', format: 'binary' } },
        }),
        ...answerSchemas,
      },
    },
  }
}

/** OpenAPI 3.1 has no `nullable`, and knows a discriminator between named schemas only. */
function modern(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(modern)
  if (typeof schema !== 'object' || schema === null) return schema
  const { nullable, discriminator: _, ...keywords } = schema as Keywords
  const plain = Object.fromEntries(Object.entries(keywords).map(([name, value]) => [name, modern(value)]))
  if (nullable !== true) return plain
  const kinds = Array.isArray(plain.oneOf) ? { oneOf: [...plain.oneOf, { type: 'null' }] } : {}
  return { ...plain, ...kinds, type: [plain.type, 'null'].flat() }
}

export function openapi(version: string): RequestHandler {
  const body = description(version)
  return function getDescription(_request, response) {
    response.json(body)
  }
}
