/** What a language model is asked, and what it tells while it answers: the messages that cross to its thread. */
import type { CallableTool, Shape } from '../../grammar/shape.js'

/** A message of the conversation, in the roles that chat templates know. */
export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly PastToolCall[] }
  /** What a call gave. */
  | { readonly role: 'tool'; readonly content: string; readonly callId: string }

/** A call that an earlier reply made. */
export interface PastToolCall {
  readonly id: string
  readonly name: string
  /** As the model wrote it: JSON text. */
  readonly arguments: string
}

/** A function that the model may call. */
export interface Tool extends CallableTool {
  readonly description?: string
}

/** Whether functions are called: not at all, as the model likes, at least one, or this one. */
export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string }

/** What the reply must be; absent: any text. */
export type ReplyFormat = Exclude<Shape, { readonly kind: 'calls' }>

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** What may be asked is checked where the request comes from; here only what needs the model's own files to be checked. */
export interface GenerateRequest {
  readonly messages: readonly ChatMessage[]
  /** Texts within the messages that came from recordings: their tokens are counted apart. */
  readonly recordings?: readonly string[]
  readonly tools?: readonly Tool[]
  /** Of the tools. Absent: `auto` where there are any. */
  readonly toolChoice?: ToolChoice
  /** Whether one reply may call several functions; it may if absent. */
  readonly parallelToolCalls?: boolean
  readonly format?: ReplyFormat
  readonly reasoningEffort?: ReasoningEffort
  /** How many replies; 1 if absent. */
  readonly choices?: number
  /** Of each reply; cut to what the context has left. */
  readonly maxTokens: number
  /** 0 takes the likeliest token. Absent values: those of the model's generation_config.json. */
  readonly temperature?: number
  readonly topP?: number
  /** −2 … 2, as OpenAI defines them: subtracted from the logits of tokens that the reply already has. */
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  /** Added to the logits of tokens, −100 … 100, by id, which the vocabulary has. */
  readonly logitBias?: Readonly<Record<string, number>>
  /** The same request with the same seed gives the same text; of several replies each has its own. */
  readonly seed?: number
  /** Texts that end the answer and are not part of it; what is thought and called may have them. */
  readonly stop?: readonly string[]
  /** How many alternatives to tell of every token, 0 … 20; absent: nothing is told of tokens. */
  readonly topLogprobs?: number
}

/**
 * One token of a reply, and how likely it was: natural logarithms of the whole softmax of what the network gives, before
 * penalties, bias, grammar and temperature; -9999 for what can not come. Bytes that are no characters are written \xNN.
 */
export interface TokenLogprob {
  readonly token: string
  readonly bytes: readonly number[]
  readonly logprob: number
  readonly top: readonly {
    readonly token: string
    readonly bytes: readonly number[]
    readonly logprob: number
  }[]
}

/** Events of the replies come as they arise; those of one reply (`choice` counts from 0) in order. */
export type GenerateEvent =
  /** The prompt is in; `cachedTokens` of it were there from an earlier request. */
  | {
      readonly kind: 'start'
      readonly promptTokens: number
      readonly cachedTokens: number
      readonly recordingTokens: number
    }
  /** `logprobs` are those of the tokens that ended in this piece of text. */
  | {
      readonly kind: 'text'
      readonly choice: number
      readonly text: string
      readonly logprobs?: readonly TokenLogprob[]
    }
  /** What the model thinks before it answers; no part of the answer. */
  | { readonly kind: 'reasoning'; readonly choice: number; readonly text: string }
  /** A function call begins; `call` counts those of this reply from 0. */
  | {
      readonly kind: 'call'
      readonly choice: number
      readonly call: number
      readonly id: string
      readonly name: string
    }
  /** The next piece of its arguments, which are JSON text in sum. */
  | { readonly kind: 'arguments'; readonly choice: number; readonly call: number; readonly text: string }
  /** This reply is complete; the request is when all are. */
  | {
      readonly kind: 'end'
      readonly choice: number
      readonly reason: 'stop' | 'length' | 'calls'
      /** Tokens of this reply, those of its reasoning included. */
      readonly completionTokens: number
      readonly reasoningTokens: number
    }
