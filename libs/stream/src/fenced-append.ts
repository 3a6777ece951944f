import { backOffMs, pause, type BackOff } from "./back-off.ts";
import type { AppendRecord, Log, LogRecord } from "./log.ts";
import { isStreamError, StreamError } from "./stream-error.ts";

/** Header of the fenced subject's last record of an append: whose append it was. */
export const RUN_HEADER = "Firn-Run";

const BACK_OFF: BackOff = { delayMinMs: 50, delayMaxMs: 2_000 };

export interface FencedAppend {
  /** All records of the append; at least one has the fenced subject. None of them carries an expectation. */
  records: readonly AppendRecord[];
  /** The subject on which the writer is alone. */
  subject: string;
  /** Its last sequence, as the writer knows it; 0 for none. */
  expectedLastSequence: number;
  /** Names this append: never used for another one, decided before the first try. */
  runId: string;
}

export interface FencedAppendOptions {
  /** Gives up waiting: the error of the last try is thrown. */
  signal: AbortSignal;
  backOff?: BackOff;
  /** Told before each wait, for logs and counters. */
  onRetry?: (error: StreamError, attempt: number) => void;
}

/**
 * Appends exactly once for a writer that is alone on a subject, through disconnects, timeouts and a full stream.
 *
 * Every try carries the same expectation, so that of all tries at most one is stored. After a try with an unknown
 * outcome the subject's last record tells: this run's id means stored; the expected sequence means not stored, or not
 * yet, and the same append is tried again; anything else means that another writer took over (`wrong_expectation`).
 *
 * Resolves with the sequence of the append's last record. Throws every kind of StreamError that waiting does not cure.
 */
export async function appendFenced(
  log: Log,
  append: FencedAppend,
  options: FencedAppendOptions,
): Promise<{ lastSequence: number }> {
  const { records, recordsAfter } = markRun(append);
  const { signal, backOff = BACK_OFF, onRetry } = options;
  let mayBeStored = false;
  for (let attempt = 0; ; attempt++) {
    try {
      if (mayBeStored) {
        const found = await findRun(log, append);
        if (found !== undefined) return { lastSequence: found.sequence + recordsAfter };
      }
      return await log.append(records);
    } catch (error) {
      if (!isStreamError(error)) throw error;
      // A refusal can come from an earlier try of ours that was stored meanwhile: look before giving up.
      const lookAgain = mayBeStored && error.kind === "wrong_expectation" && error.context[TAKEN_OVER] !== true;
      if (!error.retryable && !lookAgain) throw error;
      if (signal.aborted) throw error;
      mayBeStored ||= error.kind === "unknown_outcome";
      onRetry?.(error, attempt);
      await pause(backOffMs(attempt, backOff), signal);
    }
  }
}

const TAKEN_OVER = "takenOver";

/** The record of this run if it is stored, undefined if the subject is as before; throws when another writer came. */
async function findRun(
  log: Log,
  { subject, expectedLastSequence, runId }: FencedAppend,
): Promise<LogRecord | undefined> {
  const last = await log.last(subject);
  if (last?.headers[RUN_HEADER] === runId) return last;
  // A replica that lags may show an older record than the one that was expected: that is "not yet" too.
  const found = last?.sequence ?? 0;
  if (found <= expectedLastSequence) return undefined;
  const message = `another writer appended to ${subject}: its last sequence is ${found}, not ${expectedLastSequence}`;
  const context = { stream: log.stream, subject, expected: expectedLastSequence, actual: found, [TAKEN_OVER]: true };
  throw new StreamError("wrong_expectation", message, context);
}

/** Puts run id and expectation on the last record of the subject; says how many records follow that one. */
function markRun({ records, subject, expectedLastSequence, runId }: FencedAppend) {
  const at = records.findLastIndex((record) => record.subject === subject);
  const fenced = records[at];
  if (fenced === undefined)
    throw new StreamError("invalid", `a fenced append has no record of ${subject}`, { subject });
  const marked = { ...fenced, headers: { ...fenced.headers, [RUN_HEADER]: runId }, expectedLastSequence };
  return { records: records.with(at, marked), recordsAfter: records.length - 1 - at };
}
