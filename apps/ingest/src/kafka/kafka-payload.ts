import {
  WIRE_MAGIC,
  wireSchemaId,
  type Dataset,
  type IntakePayload,
  type PayloadDecoder,
  type PayloadEnvelope,
} from "@firn/core";

import { checkValue } from "../accepted-payloads.ts";
import type { PlacedPayload } from "../intake-frames.ts";
import { BODY_BYTES_MAX } from "../limits.ts";
import type { SchemaRegistry } from "./schema-registry.ts";

/** A message of Kafka, as far as it is needed here. */
export interface KafkaMessage {
  readonly offset: string;
  readonly value: Uint8Array | null;
}

export interface KafkaPayloadParts {
  readonly topic: string;
  readonly partition: number;
  readonly dataset: Dataset;
  readonly shards: number;
  /** Undefined: the lake takes no Avro. */
  readonly registry: SchemaRegistry | undefined;
  readonly decoder: PayloadDecoder;
}

type Encoded = Pick<IntakePayload, "bytes" | "encoding" | "writerSchema" | "refused">;

/** What a message became: one payload, or several where its records are of several shards. */
export interface PlacedMessage {
  readonly placed: readonly PlacedPayload[];
  readonly records: number;
}

/**
 * A message as a payload of the intake log: its very bytes, and the shard of its user. The envelope alone is looked
 * at. What cannot be decoded goes to the shard of its partition and becomes a dead letter there; it is marked as refused
 * only where its bytes do not tell the validator why.
 *
 * @throws RegistryUnavailable
 */
export async function placeMessage(
  message: KafkaMessage,
  receivedAtUs: number,
  parts: KafkaPayloadParts,
): Promise<PlacedMessage> {
  const { topic, partition, dataset, shards, decoder } = parts;
  const encoded = await encodingOf(message.value, parts.registry);
  const { envelope, refused } = checkEncoded(encoded, parts);
  const origin = { kind: "kafka", topic, partition, offset: Number(message.offset) } as const;
  const cut = envelope && decoder.parts(encoded, envelope, shards);
  const placed = (cut ?? [{ bytes: encoded.bytes, shard: partition % shards }]).map(({ bytes, shard }) => {
    return { dataset: dataset.name, shard, payload: { ...encoded, ...refused, bytes, receivedAtUs, origin } };
  });
  return { placed, records: envelope?.records ?? 1 };
}

/** What the bytes are encoded in, by their first one. */
async function encodingOf(value: Uint8Array | null, registry: SchemaRegistry | undefined): Promise<Encoded> {
  const bytes = value ?? new Uint8Array(0);
  if (bytes.length === 0) return unread(bytes, "json", "message has no value: it must be a payload");
  if (bytes.length > BODY_BYTES_MAX) {
    const message = `message of ${bytes.length} bytes is over ${BODY_BYTES_MAX}: the first ${BODY_BYTES_MAX} are kept`;
    return unread(bytes.subarray(0, BODY_BYTES_MAX), "json", message);
  }
  if (bytes[0] !== WIRE_MAGIC) {
    if (startsAsText(bytes[0]!)) return { bytes, encoding: "json" };
    const first = `0x${bytes[0]!.toString(16).padStart(2, "0")}`;
    return unread(
      bytes,
      "json",
      `message is neither JSON nor Avro in the Confluent wire format: it starts with ${first}`,
    );
  }
  const id = wireSchemaId(bytes);
  if (id === undefined) return unread(bytes, "avro", "message is cut off: its schema id is not whole");
  const answer = await registry?.schema(id);
  if (answer?.ok) return { bytes, encoding: "avro", writerSchema: answer.schema };
  const message = answer?.message ?? `schema ${id} is unknown: no schema registry is set (SCHEMA_REGISTRY_URL)`;
  return { bytes, encoding: "avro", refused: { errorType: "schema_error", message } };
}

const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const BLANK = 0x20;

/** No text starts with a control character. */
function startsAsText(byte: number): boolean {
  return byte >= BLANK || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

function unread(bytes: Uint8Array, encoding: IntakePayload["encoding"], message: string): Encoded {
  return { bytes, encoding, refused: { errorType: "deserialization_error", message } };
}

interface Checked {
  /** Undefined: the payload is nobody's. */
  readonly envelope?: PayloadEnvelope;
  readonly refused?: Pick<IntakePayload, "refused">;
}

function checkEncoded(encoded: Encoded, { dataset, decoder }: KafkaPayloadParts): Checked {
  if (encoded.refused !== undefined) return {};
  const decoded = decoder.decode(encoded);
  if (!decoded.ok) return {};
  const verdict = checkValue(decoded.value, dataset);
  if (verdict.ok) return { envelope: verdict };
  // Of a wrong envelope the validator says so itself; it takes any depth and number of records.
  if (verdict.code === "wrong_envelope") return {};
  const message = verdict.errors.map((error) => error.message).join("; ");
  return { refused: { refused: { errorType: "schema_error", message } } };
}
