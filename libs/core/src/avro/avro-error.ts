/**
 * An Avro payload or its schema cannot be used.
 *
 * - `schema`: the writer's schema is none (not JSON, a type that is not defined, a union without branches).
 * - `body`: the bytes are not what the schema says (cut off, too many, an index that no branch has, text that is not
 *   UTF-8).
 */
export class AvroError extends Error {
  override readonly name = "AvroError";
  readonly kind: "schema" | "body";

  constructor(kind: AvroError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
