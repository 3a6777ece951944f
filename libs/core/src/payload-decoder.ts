import { isUtf8 } from "node:buffer";

import { AvroError } from "./avro/avro-error.ts";
import { avroLong } from "./avro/avro-bytes.ts";
import { AvroPayloadReader, type ArrayLayout } from "./avro/avro-payload.ts";
import { WIRE_HEADER_BYTES, wireSchemaId } from "./avro/wire-format.ts";
import type { PayloadEnvelope, PayloadInput } from "./dataset.ts";
import type { ErrorType } from "./dead-letter.ts";
import { endOfValue, jsonItems, startOfMember, type JsonRange } from "./json-slice.ts";
import { textOfUtf8 } from "./json-plain.ts";
import { shardPayload, type PayloadPart } from "./shard-payload.ts";
import { shardOf } from "./shard.ts";

/** A payload's bytes as a value in JSON's form, or why they are none. */
export type DecodedPayload =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly errorType: ErrorType; readonly message: string };

/** The part of a payload that its value is in. */
type EncodedPayload = Pick<PayloadInput, "bytes" | "encoding" | "writerSchema">;

/** Schemas whose readers are kept; a lake meets a handful. */
const READERS_MAX = 256;

/** Decodes payloads, whatever they are encoded in. Keeps a reader for each Avro schema that it has met. */
export class PayloadDecoder {
  readonly #readers = new Map<string, AvroPayloadReader | AvroError>();

  decode(payload: EncodedPayload): DecodedPayload {
    return payload.encoding === "avro" ? this.#decodeAvro(payload) : decodeJson(payload.bytes);
  }

  /**
   * Where records of a decoded payload lie in its bytes: the items of its member with these indexes, which rise, or
   * the whole member where no index is asked for. Undefined where the payload has no such member, or its encoding does
   * not let one be cut out.
   */
  recordRanges(payload: EncodedPayload, member: string, indexes: readonly number[]): JsonRange[] | undefined {
    const { bytes } = payload;
    if (payload.encoding === "avro") {
      const items = this.#arrayLayout(payload, member)?.items ?? [];
      const found = indexes.flatMap((index) => items[index] ?? []);
      return found.length === indexes.length && found.length > 0 ? found : undefined;
    }
    const start = startOfMember(bytes, member);
    if (start === undefined) return undefined;
    return indexes.length === 0 ? [{ start, end: endOfValue(bytes, start) }] : itemRanges(bytes, start, indexes);
  }

  /** The shards that a decoded payload goes to, cut where its records are of several (see `shardPayload`). */
  parts(payload: EncodedPayload, envelope: PayloadEnvelope, shards: number): PayloadPart[] {
    if (payload.encoding !== "avro") return shardPayload(payload.bytes, envelope, shards);
    const { byRecord } = envelope;
    const layout = byRecord && this.#arrayLayout(payload, byRecord.member);
    if (byRecord === undefined || layout === undefined || layout.items.length === 0) {
      return [{ bytes: payload.bytes, shard: shardOf(envelope.shardKey, shards) }];
    }
    return cutAvro(
      payload.bytes,
      layout,
      byRecord.keys.map((key) => shardOf(key, shards)),
    );
  }

  #arrayLayout({ bytes, writerSchema = "" }: EncodedPayload, member: string): ArrayLayout | undefined {
    const reader = this.#reader(writerSchema);
    return reader instanceof AvroError ? undefined : reader.arrayLayout(bytes, WIRE_HEADER_BYTES, member);
  }

  #decodeAvro({ bytes, writerSchema }: EncodedPayload): DecodedPayload {
    if (wireSchemaId(bytes) === undefined) {
      return refuse("deserialization_error", "payload is not Avro in the Confluent wire format: it has no schema id");
    }
    if (writerSchema === undefined) return refuse("schema_error", "payload is Avro of an unknown schema");
    const reader = this.#reader(writerSchema);
    if (reader instanceof AvroError) {
      return refuse("schema_error", `payload's schema is no Avro schema: ${reader.message}`);
    }
    try {
      return { ok: true, value: reader.read(bytes, WIRE_HEADER_BYTES) };
    } catch (error) {
      if (!(error instanceof AvroError)) throw error;
      return refuse("deserialization_error", `payload is not what its Avro schema says: ${error.message}`);
    }
  }

  #reader(schema: string): AvroPayloadReader | AvroError {
    let reader = this.#readers.get(schema);
    if (reader === undefined) {
      reader = readerOf(schema);
      if (this.#readers.size >= READERS_MAX) this.#readers.clear();
      this.#readers.set(schema, reader);
    }
    return reader;
  }
}

/** Each part is the payload with the items of one shard alone, as one block. */
function cutAvro(bytes: Uint8Array, { start, end, items }: ArrayLayout, shardOfItem: readonly number[]): PayloadPart[] {
  const byShard = new Map<number, number[]>();
  shardOfItem.forEach((shard, index) => {
    const own = byShard.get(shard);
    if (own) own.push(index);
    else byShard.set(shard, [index]);
  });
  if (byShard.size === 1) return [{ bytes, shard: shardOfItem[0]! }];
  return [...byShard].map(([shard, indexes]) => {
    const own = indexes.map((index) => bytes.subarray(items[index]!.start, items[index]!.end));
    const parts = [bytes.subarray(0, start), avroLong(own.length), ...own, avroLong(0), bytes.subarray(end)];
    return { shard, bytes: Buffer.concat(parts) };
  });
}

function readerOf(schema: string): AvroPayloadReader | AvroError {
  try {
    return new AvroPayloadReader(schema);
  } catch (error) {
    if (error instanceof AvroError) return error;
    throw error;
  }
}

function decodeJson(bytes: Uint8Array): DecodedPayload {
  if (!isUtf8(bytes)) return refuse("deserialization_error", "payload is not UTF-8: JSON must be UTF-8");
  try {
    return { ok: true, value: JSON.parse(textOfUtf8(bytes)) as unknown };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse("deserialization_error", `payload is not JSON: ${reason}`);
  }
}

function refuse(errorType: ErrorType, message: string): DecodedPayload {
  return { ok: false, errorType, message };
}

function itemRanges(bytes: Uint8Array, start: number, indexes: readonly number[]): JsonRange[] {
  const ranges: JsonRange[] = [];
  let index = 0;
  for (const range of jsonItems(bytes, start)) {
    if (indexes[ranges.length] === index++) ranges.push(range);
    if (ranges.length === indexes.length) break;
  }
  return ranges;
}
