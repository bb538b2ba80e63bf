/** Calls and their answers in a conversation: each call has one, directly behind the message that made it. */
import { ServiceError } from '../errors.js'
import type { ChatMessage } from './message-schema.js'

/** @throws ServiceError naming the answer that nobody asked for, or the calls without one */
export function checkToolMessages(messages: readonly ChatMessage[]): void {
  let calls = { at: '', waiting: new Set<string>() }
  for (const [i, message] of messages.entries())
    if (message.role === 'tool') {
      const { tool_call_id: id } = message
      if (!calls.waiting.delete(id)) throw unasked(id, `messages[${i}].tool_call_id`, calls.waiting)
    } else {
      checkAnswered(calls)
      const made = message.role === 'assistant' ? (message.tool_calls ?? []) : []
      calls = { at: `messages[${i}].tool_calls`, waiting: new Set() }
      for (const [j, { id }] of made.entries()) {
        if (calls.waiting.has(id)) throw repeated(id, `${calls.at}[${j}].id`)
        calls.waiting.add(id)
      }
    }
  checkAnswered(calls)
}

function checkAnswered({
  at,
  waiting,
}: {
  readonly at: string
  readonly waiting: ReadonlySet<string>
}): void {
  if (waiting.size > 0)
    throw new ServiceError(
      'invalid_value',
      `'${at}' must be followed by messages of the role 'tool' that answer each call; there is none for ${list(waiting)}.`,
      at,
    )
}

function unasked(id: string, at: string, waiting: ReadonlySet<string>): ServiceError {
  const asked = waiting.size === 0 ? 'no call waits for one' : `those without one are ${list(waiting)}`
  return new ServiceError(
    'invalid_value',
    `Invalid value for '${at}': ${shortened(id)}. A message of the role 'tool' answers a call of the assistant's message before it; ${asked}.`,
    at,
  )
}

function repeated(id: string, at: string): ServiceError {
  return new ServiceError(
    'invalid_value',
    `Invalid value for '${at}': another call of this message has the id ${shortened(id)}, too.`,
    at,
  )
}

const shortened = (id: string) => JSON.stringify(id.length > 64 ? `${id.slice(0, 63)}…` : id)
const list = (ids: ReadonlySet<string>) => {
  const first = [...ids].slice(0, 5).map(shortened).join(', ')
  return ids.size > 5 ? `${first} and ${ids.size - 5} more` : first
}
