/** A schema that can not be followed: which keyword of which subschema, and why. */
export class Refusal extends Error {
  override readonly name = 'Refusal'

  constructor(
    /** Where: a JSON pointer (RFC 6901) within the schema, as a URI fragment. */
    readonly pointer: string,
    /** Reads on behind the pointer. */
    readonly reason: string,
  ) {
    super(`${pointer} ${reason}`)
  }
}
