/** GET /v1/audio/voices and /v1/audio/models: not OpenAI's, but what clients such as Open WebUI ask others for. */
import type { RequestHandler } from 'express'
import { openaiVoices } from '../assistant/voices.js'

/** @param own the model's voices */
export function listVoices(own: readonly string[]): RequestHandler {
  const openai = Object.keys(openaiVoices).filter((name) => own.includes(openaiVoices[name]!))
  const body = { voices: [...openai, ...own].map((name) => ({ id: name, name })) }
  return function getVoices(_request, response) {
    response.json(body)
  }
}

/** @param name the model that speaks */
export function listSpeechModels(name: string): RequestHandler {
  const body = { models: [{ id: name, name }] }
  return function getSpeechModels(_request, response) {
    response.json(body)
  }
}
