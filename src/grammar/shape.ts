/** What a reply must be, in the terms of the request, and the tokens that it is written in. */

export type JsonSchema = Readonly<Record<string, unknown>> | boolean

/** A function whose arguments the reply may write. */
export interface CallableTool {
  readonly name: string
  /** JSON Schema of the arguments; any object if absent. */
  readonly parameters?: JsonSchema
  /** Whether a keyword that can not be followed to the letter is refused; it is left out of account if not. */
  readonly strict?: boolean
  /** Its place in the client's list, to be named by; that in this one if absent. */
  readonly index?: number
}

/** How a chat template writes function calls: `begin`, calls with `between` between them, `end`. */
export interface CallConvention {
  readonly name: 'hermes' | 'llama3' | 'mistral'
  /** Before the first call; '' if nothing. May have special tokens, as the vocabulary writes them. */
  readonly begin: string
  readonly between: string
  readonly end: string
  /** Key of the arguments in a call's object. */
  readonly argumentsKey: 'arguments' | 'parameters'
}

export type Shape =
  /** Any JSON object. */
  | { readonly kind: 'json' }
  | { readonly kind: 'schema'; readonly schema: JsonSchema }
  | {
      readonly kind: 'calls'
      readonly convention: CallConvention
      readonly tools: readonly CallableTool[]
      readonly choice: 'auto' | 'required' | { readonly name: string }
      /** Whether more than one call may be made. */
      readonly parallel: boolean
    }

/** A tokenizer's tokens as bytes. */
export interface Vocabulary {
  /** Largest id + 1. */
  readonly size: number
  /** Bytes that a token adds to the text; empty for special tokens and ids without one. */
  bytes(id: number): Uint8Array
  readonly stopTokens: ReadonlySet<number>
  /** The id of a special token as the vocabulary writes it, such as `<tool_call>`. */
  specialId(text: string): number | undefined
}
