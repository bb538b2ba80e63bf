/**
 * The table of failures: everything that can go wrong on purpose, once, with the HTTP status, OpenAI's error
 * type and code, and the gRPC code. The edges (http, admin) only render it.
 */
import type { status as GrpcStatus } from '@grpc/grpc-js'

export interface FailureRow {
  readonly http: number
  /** OpenAI's `error.type`. */
  readonly type: 'invalid_request_error' | 'rate_limit_error' | 'server_error'
  /** By name, so that the table costs no import of gRPC. */
  readonly grpc: keyof typeof GrpcStatus
  /** The caller may try the same request again later. */
  readonly retryable?: boolean
}

const badRequest = { http: 400, type: 'invalid_request_error', grpc: 'INVALID_ARGUMENT' } as const

/** Keys are OpenAI's `error.code`. */
export const failures = {
  invalid_json: badRequest,
  invalid_value: badRequest,
  missing_required_parameter: badRequest,
  unsupported_value: badRequest,
  invalid_base64: badRequest,
  invalid_audio: badRequest,
  invalid_audio_id: badRequest,
  unknown_voice: badRequest,
  context_length_exceeded: badRequest,
  invalid_api_key: { http: 401, type: 'invalid_request_error', grpc: 'UNAUTHENTICATED' },
  malformed_request: badRequest,
  headers_too_large: { http: 431, type: 'invalid_request_error', grpc: 'INVALID_ARGUMENT' },
  request_timeout: { http: 408, type: 'invalid_request_error', grpc: 'DEADLINE_EXCEEDED' },
  model_not_found: { http: 404, type: 'invalid_request_error', grpc: 'NOT_FOUND' },
  not_found: { http: 404, type: 'invalid_request_error', grpc: 'NOT_FOUND' },
  method_not_allowed: { http: 405, type: 'invalid_request_error', grpc: 'UNIMPLEMENTED' },
  audio_too_long: { http: 413, type: 'invalid_request_error', grpc: 'INVALID_ARGUMENT' },
  request_too_large: { http: 413, type: 'invalid_request_error', grpc: 'INVALID_ARGUMENT' },
  unsupported_media_type: { http: 415, type: 'invalid_request_error', grpc: 'INVALID_ARGUMENT' },
  /** The client went away: nobody reads the answer, the status (nginx's) is for the log. */
  request_cancelled: { http: 499, type: 'invalid_request_error', grpc: 'CANCELLED' },
  overloaded: { http: 429, type: 'rate_limit_error', grpc: 'RESOURCE_EXHAUSTED', retryable: true },
  rate_limit_exceeded: {
    http: 429,
    type: 'rate_limit_error',
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: true,
  },
  shutting_down: { http: 503, type: 'server_error', grpc: 'UNAVAILABLE', retryable: true },
  server_error: { http: 500, type: 'server_error', grpc: 'INTERNAL' },
} as const satisfies Record<string, FailureRow>

export type FailureCode = keyof typeof failures

/** What crosses a thread border: plain data, rebuilt with {@link ServiceError.fromWire}. */
export interface WireError {
  readonly code: FailureCode
  readonly message: string
  readonly param: string | null
  readonly stack?: string
}

/** A failure of the table with its sentence: what happened, to which value, what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'

  constructor(
    readonly code: FailureCode,
    message: string,
    /** The request field at fault, in OpenAI's notation (`messages[0].content`). */
    readonly param: string | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }

  get row(): FailureRow {
    return failures[this.code]
  }

  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      param: this.param,
      ...(this.row.http >= 500 && this.stack ? { stack: this.stack } : {}),
    }
  }

  static fromWire(wire: WireError): ServiceError {
    const error = new ServiceError(wire.code, wire.message, wire.param)
    if (wire.stack) error.stack = wire.stack
    return error
  }

  /** Any thrown value as a ServiceError; what is not one of ours is a fault of the service, its cause kept. */
  static from(thrown: unknown): ServiceError {
    if (thrown instanceof ServiceError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const error = new ServiceError('server_error', message, null, { cause: thrown })
    if (thrown instanceof Error && thrown.stack) error.stack = thrown.stack
    return error
  }
}

/** A reason not to start or not to build: one sentence for the operator, printed without a stack; exit code 1. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}
