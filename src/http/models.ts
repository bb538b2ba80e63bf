/** GET /v1/models and /v1/models/{id}; and whether a request's `model` is one of them. */
import type { RequestHandler } from 'express'
import type { Models } from '../assistant/registry.js'
import { ServiceError } from '../errors.js'

type Family = keyof Models

/** The names of the loaded models. Where they are not strict, any other name means the one that does the work. */
export class ModelNames {
  private readonly created = Math.floor(Date.now() / 1000)

  constructor(
    private readonly names: Readonly<Record<Family, string>>,
    private readonly strict: boolean,
  ) {}

  static of(models: Models, strict: boolean): ModelNames {
    const { whisper, llama, kokoro } = models
    return new ModelNames(
      { whisper: whisper.info.name, llama: llama.info.name, kokoro: kokoro.info.name },
      strict,
    )
  }

  /** @throws ServiceError model_not_found where the names are strict and `asked` is another */
  check(family: Family, asked: string | null | undefined): void {
    if (this.strict && typeof asked === 'string' && asked !== this.names[family])
      throw this.notFound(asked, `here it is ${this.names[family]}`)
  }

  list(): object {
    return { object: 'list', data: Object.values(this.names).map((id) => this.describe(id)) }
  }

  /** @throws ServiceError model_not_found */
  one(id: string): object {
    const known = Object.values(this.names)
    if (this.strict && !known.includes(id)) throw this.notFound(id, `there are ${known.join(', ')}`)
    return this.describe(id)
  }

  private describe(id: string): object {
    return { id, object: 'model', created: this.created, owned_by: 'simple-audio-service' }
  }

  private notFound(asked: string, others: string): ServiceError {
    const name = JSON.stringify(asked.slice(0, 64))
    return new ServiceError('model_not_found', `The model ${name} does not exist: ${others}.`, 'model')
  }
}

export function listModels(names: ModelNames): RequestHandler {
  return function getModels(_request, response) {
    response.json(names.list())
  }
}

/** Ids with a slash come as they are, or as %2F. */
export function retrieveModel(names: ModelNames): RequestHandler<{ id: string[] }> {
  return function getModel(request, response) {
    response.json(names.one(request.params.id.join('/')))
  }
}
