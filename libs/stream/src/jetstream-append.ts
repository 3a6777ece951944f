import { headers, nuid, type MsgHdrs } from "@nats-io/transport-node";
import { planAppend, type Expectations } from "./append-plan.ts";
import type { AppendRecord } from "./log.ts";
import { fromBroker, fromClient, type BrokerError } from "./nats-errors.ts";
import type { NatsLink } from "./nats-link.ts";
import { StreamError } from "./stream-error.ts";

interface PublishAck {
  stream?: string;
  seq?: number;
  count?: number;
  error?: BrokerError;
}

export interface AppendTarget {
  link: NatsLink;
  stream: string;
  recordBytesMax: number;
  timeoutMs: number;
}

/**
 * Publishes the records in one round trip: one record as a plain publish, several as an atomic batch (ADR-50) with the
 * headers set by hand. The Batch class of @nats-io/jetstream 3.4 drops expectations and hides the server's errors.
 */
export async function appendToStream(
  { link, stream, recordBytesMax, timeoutMs }: AppendTarget,
  records: readonly AppendRecord[],
): Promise<{ lastSequence: number }> {
  const expectations = planAppend(records, { recordBytesMax });
  const messageHeaders = encodeHeaders(records, expectations);
  const context = { stream, subject: records[0]?.subject, records: records.length };
  let answer: Uint8Array;
  try {
    answer = await link.guard(async () => {
      const last = records.length - 1;
      for (const [i, { subject, data }] of records.entries()) {
        if (i < last) link.nc.publish(subject, data, withHeaders(messageHeaders[i]));
      }
      const { subject, data } = records[last]!;
      const message = await link.nc.request(subject, data, {
        ...withHeaders(messageHeaders[last]),
        timeout: timeoutMs,
      });
      return message.data;
    });
  } catch (error) {
    throw fromClient(error, "unknown_outcome", context);
  }
  return { lastSequence: readAck(answer, stream, records.length, context) };
}

function readAck(answer: Uint8Array, stream: string, count: number, context: Record<string, unknown>): number {
  let ack: PublishAck;
  try {
    ack = JSON.parse(Buffer.from(answer).toString("utf8")) as PublishAck;
  } catch (cause) {
    throw new StreamError("unknown_outcome", "the answer to an append is not an acknowledgement", context, { cause });
  }
  if (ack.error) throw fromBroker(ack.error, context);
  if (ack.stream !== stream || typeof ack.seq !== "number" || (count > 1 && ack.count !== count)) {
    // Another stream, or something that is not a stream, listens on the subject.
    throw new StreamError("invalid", `an append to ${stream} was answered by ${ack.stream ?? "no stream"}`, {
      ...context,
      ack,
    });
  }
  return ack.seq;
}

function encodeHeaders(records: readonly AppendRecord[], expectations: Expectations): (MsgHdrs | undefined)[] {
  const batchId = records.length > 1 ? nuid.next() : undefined;
  const open = new Map(expectations);
  return records.map((record, i) => {
    const own = Object.entries(record.headers ?? {});
    const expected = open.get(record.subject);
    if (batchId === undefined && expected === undefined && own.length === 0) return undefined;
    const encoded = headers();
    for (const [name, value] of own) encoded.set(name, value);
    if (expected !== undefined) {
      // The server takes an expectation on the batch's first message of a subject only, and checks it before the batch.
      encoded.set("Nats-Expected-Last-Subject-Sequence", String(expected));
      open.delete(record.subject);
    }
    if (batchId !== undefined) {
      encoded.set("Nats-Batch-Id", batchId);
      encoded.set("Nats-Batch-Sequence", String(i + 1));
      if (i === records.length - 1) encoded.set("Nats-Batch-Commit", "1");
    }
    return encoded;
  });
}

function withHeaders(encoded: MsgHdrs | undefined): { headers?: MsgHdrs } {
  return encoded === undefined ? {} : { headers: encoded };
}
