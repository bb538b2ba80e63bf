/** Entry of the thread that makes what requests need before their first step. */
import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError } from '../../errors.js'
import { Plans } from '../../grammar/plans.js'
import { tokenSet } from '../../grammar/token-set.js'
import { loadChatTemplate } from '../../text/chat-template.js'
import { loadTokenizer } from '../../text/tokenizer.js'
import type { Answer, Answers, PreparationSettings, Question } from './preparation.js'
import { PromptEncoder } from './prompt.js'

const port = parentPort
if (!port) throw new Error('preparation-thread.js is the entry of a thread, not a program')

const { folder, vocabulary, stopTokens } = workerData as PreparationSettings
const tokenizer = loadTokenizer(folder, vocabulary)
const prompts = new PromptEncoder(loadChatTemplate(folder), tokenizer, tokenizer.specialTokens)
const plans = new Plans()

port.on('message', (question: Question) => port.postMessage(answered(question)))

function answered(question: Question): Answer {
  try {
    return { answer: answer(question) }
  } catch (thrown) {
    return { error: ServiceError.from(thrown).toWire() }
  }
}

function answer(question: Question): Answers[Question['kind']] {
  switch (question.kind) {
    case 'prompt':
      return prompts.encode(question.request, question.context)
    case 'grammar':
      return plans.of(question.shape)
    case 'tokens':
      return tokenSet({
        size: vocabulary,
        bytes: (id) => tokenizer.bytes(id),
        stopTokens,
        specialId: (text) => tokenizer.id(text),
      })
  }
}
