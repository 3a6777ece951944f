import { APPEND_BYTES_MAX, APPEND_RECORDS_MAX, type AppendRecord } from "./log.ts";
import { StreamError } from "./stream-error.ts";
import { assertLiteralSubject } from "./subject.ts";

export interface AppendLimits {
  /** Bytes of one record with its headers. */
  recordBytesMax: number;
}

/** The expectation of each subject of an append that states one. */
export type Expectations = ReadonlyMap<string, number>;

/** Checks an append against the port's limits, before anything is sent, and collects its expectations. */
export function planAppend(records: readonly AppendRecord[], limits: AppendLimits): Expectations {
  if (records.length === 0) throw new StreamError("invalid", "an append needs at least one record");
  if (records.length > APPEND_RECORDS_MAX) {
    throw new StreamError("too_large", `an append holds at most ${APPEND_RECORDS_MAX} records, not ${records.length}`, {
      records: records.length,
    });
  }
  const expectations = new Map<string, number>();
  let bytesTotal = 0;
  for (const record of records) {
    assertLiteralSubject(record.subject);
    const bytes = recordBytes(record);
    bytesTotal += bytes;
    if (bytes > limits.recordBytesMax) {
      const message = `a record of ${bytes} bytes is over the limit of ${limits.recordBytesMax}`;
      throw new StreamError("too_large", message, { subject: record.subject, bytes, ...limits });
    }
    if (record.expectedLastSequence !== undefined)
      addExpectation(expectations, record.subject, record.expectedLastSequence);
  }
  if (bytesTotal > APPEND_BYTES_MAX) {
    const message = `an append of ${bytesTotal} bytes is over the limit of ${APPEND_BYTES_MAX}`;
    throw new StreamError("too_large", message, { bytes: bytesTotal, bytesMax: APPEND_BYTES_MAX });
  }
  return expectations;
}

function addExpectation(expectations: Map<string, number>, subject: string, sequence: number): void {
  if (!Number.isSafeInteger(sequence) || sequence < 0) {
    throw new StreamError("invalid", `not a sequence: ${sequence}`, { subject, expectedLastSequence: sequence });
  }
  const before = expectations.get(subject);
  if (before !== undefined && before !== sequence) {
    throw new StreamError("invalid", `an append expects two last sequences of one subject: ${before} and ${sequence}`, {
      subject,
    });
  }
  expectations.set(subject, sequence);
}

/** What the broker's preamble and the batch's own headers add to the headers of one record, at most. */
const BROKER_HEADER_BYTES = 256;

function recordBytes(record: AppendRecord): number {
  let bytes = record.data.byteLength;
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    if (!/^[!-9;-~]+$/.test(name) || /^nats-/i.test(name) || /[\r\n]/.test(value) || value !== value.trim()) {
      throw new StreamError("invalid", `not a header that a record can carry: "${name}"`, { subject: record.subject });
    }
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 4;
  }
  return bytes + BROKER_HEADER_BYTES;
}
