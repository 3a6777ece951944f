import {
  acceptedSubject,
  acceptedTableSubject,
  encodeColumnBatch,
  encodeRejectedBatch,
  rejectedSubject,
  sliceColumnRows,
  type ColumnRows,
  type DeadLetter,
  type ValidatedRun,
} from "@firn/core";
import type { AppendRecord } from "@firn/stream";

/**
 * A run with more bytes of rows than this closes with a message without rows: the position is read often, and with it
 * the whole message that carries it.
 */
const CLOSING_BYTES_MAX = 64 * 1024;
/** Room for headers, subject and what the broker adds. */
const OVERHEAD_BYTES = 4096;

const NO_ROWS: ColumnRows = { rows: 0, columns: {} };

export interface MessagePlan {
  readonly dataset: string;
  readonly shard: number;
  /** Bytes that one message may have in all. */
  readonly recordBytesMax: number;
  /**
   * Go on the last accepted message. Messages of one append have consecutive sequences: `behind` is how many messages
   * before it the last one of each of the dataset's other tables stands.
   */
  headers(behind: ReadonlyMap<string, number>): Readonly<Record<string, string>>;
}

/**
 * The messages of one append: rejected ones first, then accepted ones of the dataset's other tables, then those of raw,
 * each within the limit; the last one carries the position and is there even when no row was accepted.
 */
export function planMessages(run: ValidatedRun, plan: MessagePlan): AppendRecord[] {
  const bytesMax = plan.recordBytesMax - OVERHEAD_BYTES;
  const rejected = run.rejected.length === 0 ? [] : encodeLetters(run.rejected, plan.dataset, bytesMax);
  const accepted = encodeRows(run.rows, plan.dataset, bytesMax);
  if (accepted.at(-1)!.byteLength > CLOSING_BYTES_MAX) accepted.push(encodeColumnBatch(plan.dataset, NO_ROWS));
  const records: AppendRecord[] = [
    ...rejected.map((data) => ({ subject: rejectedSubject(plan.dataset, plan.shard), data })),
  ];
  const lastOf = new Map<string, number>();
  for (const [table, rows] of run.others ?? []) {
    if (rows.rows === 0) continue;
    const subject = acceptedTableSubject(plan.dataset, table, plan.shard);
    for (const data of encodeRows(rows, plan.dataset, bytesMax)) records.push({ subject, data });
    lastOf.set(table, records.length - 1);
  }
  records.push(...accepted.map((data) => ({ subject: acceptedSubject(plan.dataset, plan.shard), data })));
  const last = records.length - 1;
  const behind = new Map([...lastOf].map(([table, at]) => [table, last - at]));
  return records.with(last, { ...records[last]!, headers: plan.headers(behind) });
}

function encodeRows(rows: ColumnRows, dataset: string, bytesMax: number): Uint8Array[] {
  const data = encodeColumnBatch(dataset, rows);
  if (data.byteLength <= bytesMax || rows.rows <= 1) return [data];
  const parts = Math.max(2, Math.ceil(data.byteLength / bytesMax));
  const rowsEach = Math.ceil(rows.rows / parts);
  const encoded: Uint8Array[] = [];
  for (let from = 0; from < rows.rows; from += rowsEach) {
    encoded.push(...encodeRows(sliceColumnRows(rows, from, from + rowsEach), dataset, bytesMax));
  }
  return encoded;
}

function encodeLetters(letters: readonly DeadLetter[], dataset: string, bytesMax: number): Uint8Array[] {
  const data = encodeRejectedBatch(dataset, letters);
  if (data.byteLength <= bytesMax) return [data];
  if (letters.length === 1) return [encodeRejectedBatch(dataset, [withoutOriginal(letters[0]!)])];
  const half = Math.ceil(letters.length / 2);
  return [
    ...encodeLetters(letters.slice(0, half), dataset, bytesMax),
    ...encodeLetters(letters.slice(half), dataset, bytesMax),
  ];
}

/** Only a payload far over what ingest takes comes here: the letter stays, its place says where the original was. */
function withoutOriginal(letter: DeadLetter): DeadLetter {
  const bytes = Buffer.byteLength(letter.raw_payload ?? "");
  const message = `${letter.error_message}; the original of ${bytes} bytes is too large for a message`;
  return { ...letter, raw_payload: null, error_message: message };
}
