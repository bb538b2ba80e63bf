/** Entry of the thread that makes what requests need before their first step. */
import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError, SetupError } from '../../errors.js'
import { Plans } from '../../grammar/plans.js'
import { tokenSet } from '../../grammar/token-set.js'
import { loadChatTemplate } from '../../text/chat-template.js'
import type { TokenVocabulary } from '../../text/token-vocabulary.js'
import { loadTokenizer } from '../../text/tokenizer.js'
import type { Answer, Answers, PreparationSettings, Question, Start } from './preparation.js'
import { PromptEncoder } from './prompt.js'
import { grammarVocabulary } from './vocabulary.js'

const port = parentPort
if (!port) throw new Error('preparation-thread.js is the entry of a thread, not a program')

const { folder, vocabulary, stopTokens } = workerData as PreparationSettings
const plans = new Plans()
try {
  const tokenizer = loadTokenizer(folder, vocabulary)
  const prompts = new PromptEncoder(loadChatTemplate(folder), tokenizer, tokenizer.specialTokens)
  port.on('message', (question: Question) => port.postMessage(answered(question, prompts, tokenizer)))
  port.postMessage({ dialect: prompts.dialect } satisfies Start)
} catch (thrown) {
  const failed = thrown instanceof Error ? thrown.message : String(thrown)
  port.postMessage({ failed, isSetup: thrown instanceof SetupError } satisfies Start)
}

function answered(question: Question, prompts: PromptEncoder, tokens: TokenVocabulary): Answer {
  try {
    return { answer: answer(question, prompts, tokens) }
  } catch (thrown) {
    return { error: ServiceError.from(thrown).toWire() }
  }
}

function answer(
  question: Question,
  prompts: PromptEncoder,
  tokens: TokenVocabulary,
): Answers[Question['kind']] {
  switch (question.kind) {
    case 'prompt':
      return prompts.encode(question.request, question.context)
    case 'grammar':
      return plans.of(question.shape)
    case 'tokens':
      return tokenSet(grammarVocabulary(tokens, vocabulary, stopTokens))
  }
}
