import type { ErrorType } from "./dead-letter.ts";
import { refuseNewer } from "./newer-format.ts";

/**
 * Message on `intake.<dataset>.<shard>`: several payloads of one shard with their original bytes, exactly as they came.
 *
 * Layout: byte 1 (version), header length as u32 big endian, header JSON
 * `{"payloads":[{"n":bytes,"at":receivedAtUs,"enc":"json"|"avro","origin":{…},"receipt"?:"…","schema"?:n,"refused"?:{…}}],
 * "schemas"?:["…"]}`, then the payloads back to back in header order. `schema` is an index of `schemas`: the texts of
 * the schemas that Avro payloads of the frame were written with, each once.
 */
export interface IntakePayload {
  readonly bytes: Uint8Array;
  readonly receivedAtUs: number;
  readonly encoding: PayloadEncoding;
  readonly origin: PayloadOrigin;
  readonly receipt?: string;
  /** Of an Avro payload (in the Confluent wire format): the writer's schema, so that no reader needs a registry. */
  readonly writerSchema?: string;
  /** Why this is a dead letter, where the one who took it in knows and its bytes alone do not say. */
  readonly refused?: PayloadRefusal;
}

export interface PayloadRefusal {
  readonly errorType: ErrorType;
  readonly message: string;
}

export type PayloadEncoding = "json" | "avro";

export interface PayloadOrigin {
  readonly kind: "http" | "file" | "kafka";
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
}

interface FrameHeader {
  readonly payloads: readonly FrameEntry[];
  readonly schemas?: readonly string[];
}

interface FrameEntry {
  readonly n: number;
  readonly at: number;
  readonly enc: PayloadEncoding;
  readonly origin: PayloadOrigin;
  readonly receipt?: string;
  readonly schema?: number;
  readonly refused?: PayloadRefusal;
}

const VERSION = 1;
const PREFIX_BYTES = 5;

/** The message of payloads that are appended together, their bytes as they came. */
export function encodeIntakeFrame(payloads: readonly IntakePayload[]): Uint8Array {
  const schemas: string[] = [];
  const entries = payloads.map((payload) => entryOf(payload, schemas));
  const content: FrameHeader = schemas.length === 0 ? { payloads: entries } : { payloads: entries, schemas };
  const header = Buffer.from(JSON.stringify(content), "utf8");
  const bodyBytes = payloads.reduce((sum, payload) => sum + payload.bytes.byteLength, 0);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + header.byteLength + bodyBytes);
  frame[0] = VERSION;
  frame.writeUInt32BE(header.byteLength, 1);
  frame.set(header, PREFIX_BYTES);
  let at = PREFIX_BYTES + header.byteLength;
  for (const payload of payloads) {
    frame.set(payload.bytes, at);
    at += payload.bytes.byteLength;
  }
  return frame;
}

/**
 * The payloads of a frame; their bytes are views into `frame`.
 * @throws NewerFormat
 * @throws SyntaxError when the frame is not of version 1 or its lengths do not add up.
 */
export function decodeIntakeFrame(frame: Uint8Array): IntakePayload[] {
  const buffer = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (buffer.byteLength >= PREFIX_BYTES && looksNewer(buffer)) refuseNewer("an intake frame", buffer[0], VERSION);
  if (buffer.byteLength < PREFIX_BYTES || buffer[0] !== VERSION)
    throw new SyntaxError("not an intake frame of version 1");
  const headerEnd = PREFIX_BYTES + buffer.readUInt32BE(1);
  if (headerEnd > buffer.byteLength) throw new SyntaxError("intake frame: header is cut off");
  const header = JSON.parse(buffer.toString("utf8", PREFIX_BYTES, headerEnd)) as FrameHeader;
  if (!Array.isArray(header?.payloads)) throw new SyntaxError("intake frame: header names no payloads");
  let at = headerEnd;
  const payloads = header.payloads.map((entry: FrameEntry): IntakePayload => {
    const bytes = buffer.subarray(at, at + entry.n);
    at += entry.n;
    const { receipt, schema, refused } = entry;
    const writerSchema = schema === undefined ? undefined : header.schemas?.[schema];
    return {
      bytes,
      receivedAtUs: entry.at,
      encoding: entry.enc,
      origin: entry.origin,
      ...(receipt !== undefined && { receipt }),
      ...(writerSchema !== undefined && { writerSchema }),
      ...(refused !== undefined && { refused }),
    };
  });
  if (at !== buffer.byteLength)
    throw new SyntaxError(`intake frame: ${at} bytes announced, ${buffer.byteLength} there`);
  return payloads;
}

/** Small numbers are versions; bytes that came from elsewhere, such as text, are no frame of any version. */
function looksNewer(buffer: Buffer): boolean {
  return buffer[0]! > VERSION && buffer[0]! < 0x09;
}

function entryOf(payload: IntakePayload, schemas: string[]): FrameEntry {
  const { receipt, writerSchema, refused } = payload;
  return {
    n: payload.bytes.byteLength,
    at: payload.receivedAtUs,
    enc: payload.encoding,
    origin: payload.origin,
    ...(receipt !== undefined && { receipt }),
    ...(writerSchema !== undefined && { schema: indexIn(schemas, writerSchema) }),
    ...(refused !== undefined && { refused }),
  };
}

function indexIn(texts: string[], text: string): number {
  const found = texts.indexOf(text);
  return found >= 0 ? found : texts.push(text) - 1;
}
