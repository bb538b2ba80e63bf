/** Shapes compiled, or refused: what was found of the last ones is kept. */
import { ServiceError } from '../errors.js'
import { compile } from './compile.js'
import type { GrammarPlan } from './plan.js'
import type { Shape } from './shape.js'

const mostRefused = 64

export class Plans {
  /** Why, by the shape as JSON text, the last asked for last. A client that does not know better may ask again and again. */
  private readonly refused = new Map<string, ServiceError>()

  /** @throws ServiceError as {@link compile} does */
  of(shape: Shape): GrammarPlan {
    const name = JSON.stringify(shape)
    const known = this.refused.get(name)
    this.refused.delete(name) // to come behind all others
    try {
      if (known) throw known
      return compile(shape)
    } catch (error) {
      if (error instanceof ServiceError) this.keep(name, error)
      throw error
    }
  }

  private keep(name: string, error: ServiceError): void {
    this.refused.set(name, error)
    const [oldest] = this.refused.keys()
    if (this.refused.size > mostRefused) this.refused.delete(oldest!)
  }
}
