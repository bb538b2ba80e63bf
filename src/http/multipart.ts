/** Uploads (multipart/form-data), read while they arrive and bounded in every direction. */
import busboy from 'busboy'
import type { Request } from 'express'
import { ServiceError } from '../errors.js'

export interface Upload {
  /** The values of each field, in order; `x[]` counts as `x`. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** The bytes of the part named `file`. */
  readonly file: Buffer | null
}

const limits = { files: 1, fields: 64, fieldNameSize: 128, fieldSize: 65_536, parts: 65, headerPairs: 32 }

/**
 * What is too large is read to its end and thrown away, so that the client gets to read the answer.
 * @param maxBytes of the whole body
 * @throws ServiceError naming what is wrong; the signal's reason
 */
export function readUpload(request: Request, maxBytes: number, signal: AbortSignal): Promise<Upload> {
  const fields = new Map<string, string[]>()
  const file: Buffer[] = []
  let hasFile = false
  let received = 0
  let fault: ServiceError | undefined
  return new Promise((resolve, reject) => {
    const parser = formParser(request)
    const fail = (error: ServiceError) => {
      fault ??= error
      file.length = 0
    }
    const finish = () =>
      fault ? reject(fault) : resolve({ fields, file: hasFile ? Buffer.concat(file) : null })
    signal.addEventListener('abort', () => reject(signal.reason as Error))

    parser.on('file', (name, part) => {
      hasFile ||= name === 'file'
      part.on('data', (piece: Buffer) => {
        if (name === 'file' && !fault) file.push(piece)
      })
    })
    parser.on('field', (name, value, { valueTruncated }) => {
      const key = name.replace(/\[\]$/, '')
      if (valueTruncated)
        fail(new ServiceError('invalid_value', `${key} is longer than ${limits.fieldSize} bytes.`, key))
      fields.set(key, [...(fields.get(key) ?? []), value])
    })
    for (const [event, what] of [
      ['filesLimit', `${limits.files} file`],
      ['fieldsLimit', `${limits.fields} fields`],
      ['partsLimit', `${limits.parts} parts`],
    ] as const)
      parser.on(event, () => fail(new ServiceError('invalid_value', `The form has more than ${what}.`)))
    parser.on('error', (error) => {
      request.unpipe(parser)
      fail(new ServiceError('invalid_value', `The form can not be read: ${(error as Error).message}.`))
      // Behind a fault nobody parses on, but the client still sends.
      request.on('end', finish).resume()
      if (request.readableEnded) finish()
    })
    parser.on('close', finish)
    request.on('data', (piece: Buffer) => {
      received += piece.length
      if (received > maxBytes) fail(tooLarge(maxBytes))
    })
    request.pipe(parser)
  })
}

function formParser(request: Request): busboy.Busboy {
  try {
    return busboy({ headers: request.headers, limits, defParamCharset: 'utf8' })
  } catch (error) {
    const sent = (request.get('content-type') ?? 'no content-type').slice(0, 64)
    throw new ServiceError(
      'unsupported_media_type',
      `The body must be multipart/form-data with a boundary, not ${sent}: ${(error as Error).message}.`,
    )
  }
}

function tooLarge(limit: number): ServiceError {
  return new ServiceError(
    'request_too_large',
    `The body is larger than ${limit} bytes, the limit of this service (MAX_BODY).`,
  )
}
