/** What a call came to, in words that can be sent as JSON. */
export type Outcome = { readonly value: unknown } | { readonly code: unknown; readonly message: string }

export function outcome(call: () => unknown): Outcome {
  try {
    return { value: call() ?? null }
  } catch (error) {
    return { code: (error as { code?: unknown }).code, message: (error as Error).message }
  }
}

export const answer = (value: unknown): void => {
  process.stdout.write(JSON.stringify(value))
}
