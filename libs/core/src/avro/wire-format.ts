/**
 * The Confluent wire format: byte 0, the schema id as u32 big endian, then the Avro body
 * (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
 */
export const WIRE_MAGIC = 0;
/** The magic byte and the schema id, four bytes big-endian. */
export const WIRE_HEADER_BYTES = 5;

/** The id of the writer's schema, or undefined when the bytes are not in this format. */
export function wireSchemaId(bytes: Uint8Array): number | undefined {
  if (bytes.length < WIRE_HEADER_BYTES || bytes[0] !== WIRE_MAGIC) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE(1);
}
