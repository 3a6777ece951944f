import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";

import { refuseNewer, versionOfJson } from "./newer-format.ts";

/** A record that was refused, with the columns of `<lake>_errors`. `error_timestamp` is in microseconds UTC. */
export interface DeadLetter {
  readonly error_id: string;
  readonly error_type: ErrorType;
  readonly error_message: string;
  readonly error_timestamp: number;
  readonly raw_payload: string | null;
  readonly user_id: string | null;
  readonly device_id: string | null;
  readonly sample_id: string | null;
  readonly data_type: string | null;
  /** Where the record came from: Kafka's topic, partition and offset, else stream subject, shard and sequence. */
  readonly kafka_topic: string;
  readonly kafka_partition: number;
  readonly kafka_offset: number;
}

export type ErrorType =
  "validation_error" | "deserialization_error" | "transformation_error" | "schema_error" | "processing_error";

/** Message on `rejected.<dataset>.<shard>`. */
export interface RejectedBatch {
  readonly v: 1;
  readonly dataset: string;
  readonly records: readonly DeadLetter[];
}

export interface DeadLetterInput {
  readonly dataset: string;
  readonly errorType: ErrorType;
  readonly message: string;
  readonly timestampUs: number;
  /** The refused record exactly as it came. */
  readonly bytes: Uint8Array;
  readonly userId: string | null;
  readonly deviceId: string | null;
  readonly sampleId: string | null;
  readonly dataType: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * The row of the errors table. Its id follows from where the record lay: the same record refused again has the same.
 */
export function makeDeadLetter(input: DeadLetterInput): DeadLetter {
  return {
    error_id: deadLetterId(input),
    error_type: input.errorType,
    error_message: input.message,
    error_timestamp: input.timestampUs,
    raw_payload: rawPayloadText(input.bytes),
    user_id: input.userId,
    device_id: input.deviceId,
    sample_id: input.sampleId,
    data_type: input.dataType,
    kafka_topic: input.topic,
    kafka_partition: input.partition,
    kafka_offset: input.offset,
  };
}

/**
 * Identity of a dead letter: the same bytes refused again for the same user, device and kind of error are the same one.
 * First 32 hexadecimal digits of SHA-256 over the parts, each behind its length as u32 big endian (0xffffffff: absent).
 */
export function deadLetterId(
  input: Pick<DeadLetterInput, "dataset" | "userId" | "deviceId" | "errorType" | "bytes">,
): string {
  const hash = createHash("sha256");
  for (const part of [input.dataset, input.userId, input.deviceId, input.errorType, input.bytes]) {
    const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes === null ? 0xffffffff : bytes.byteLength);
    hash.update(length);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest("hex").slice(0, 32);
}

/** From this length on an original must not grow much when JSON escapes it: its message has a limit. */
const LONG_ORIGINAL_BYTES = 1024 * 1024;
const ESCAPED_GROWTH_MAX = 1.5;

/**
 * The bytes as text where they are UTF-8, else `base64:` and their base64 form; so too where the text is long and
 * full of characters that JSON writes in several (control characters, quotes).
 */
function rawPayloadText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(bytes)) {
    const text = buffer.toString("utf8");
    if (bytes.length < LONG_ORIGINAL_BYTES) return text;
    if (Buffer.byteLength(JSON.stringify(text)) <= bytes.length * ESCAPED_GROWTH_MAX) return text;
  }
  return `base64:${buffer.toString("base64")}`;
}

/** The message of dead letters, version 1. */
export function encodeRejectedBatch(dataset: string, records: readonly DeadLetter[]): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, dataset, records } satisfies RejectedBatch), "utf8");
}

const REJECTED_BATCH_VERSION = 1;

/** For readers that do not decode it here. @throws NewerFormat */
export function refuseNewerRejectedBatch(bytes: Uint8Array): void {
  refuseNewer("a batch of dead letters", versionOfJson(bytes), REJECTED_BATCH_VERSION);
}

/** @throws NewerFormat @throws SyntaxError when the bytes are not a rejected batch of version 1. */
export function decodeRejectedBatch(bytes: Uint8Array): RejectedBatch {
  refuseNewerRejectedBatch(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const batch = JSON.parse(text) as RejectedBatch;
  if (batch?.v !== 1 || typeof batch.dataset !== "string" || !Array.isArray(batch.records)) {
    throw new SyntaxError("not a rejected batch of version 1");
  }
  return batch;
}
