import {
  decodeIntakeFrame,
  makeDeadLetter,
  NewerFormat,
  type Dataset,
  type DeadLetter,
  type ErrorType,
  type PayloadInput,
  type PayloadRefusal,
  type ValidatedRun,
  type ValidationOptions,
} from "@firn/core";
import type { LogRecord } from "@firn/stream";

/** A payload of the run's input with its place, or an INTAKE message that is no frame. */
export interface RunItem {
  readonly input: PayloadInput;
  /** Number of the payload in its message. */
  readonly payload: number;
  /** What the bytes do not say: the message could not be taken apart, or ingest had refused the payload. */
  readonly refused?: PayloadRefusal;
}

/**
 * The payloads of INTAKE messages of one shard, in order. Nothing is left out: a message that is no frame is an item.
 * @throws NewerFormat for a frame of a newer release, which is no dead letter
 */
export function itemsOf(records: readonly LogRecord[], shard: number): RunItem[] {
  return records.flatMap((record): RunItem[] => {
    const place = { subject: record.subject, shard, sequence: record.sequence };
    try {
      return decodeIntakeFrame(record.data).map((payload, index) => ({
        payload: index,
        input: {
          bytes: payload.bytes,
          encoding: payload.encoding,
          receivedAtUs: payload.receivedAtUs,
          origin: payload.origin,
          ...(payload.writerSchema !== undefined && { writerSchema: payload.writerSchema }),
          ...place,
        },
        ...(payload.refused !== undefined && { refused: payload.refused }),
      }));
    } catch (error) {
      if (error instanceof NewerFormat) throw error;
      const receivedAtUs = record.timestampMs * 1000;
      const input: PayloadInput = {
        bytes: record.data,
        encoding: "json",
        receivedAtUs,
        origin: { kind: "http" },
        ...place,
      };
      const message = `message is no intake frame: ${reasonOf(error)}`;
      return [{ payload: 0, input, refused: { errorType: "deserialization_error", message } }];
    }
  });
}

export interface RunPlan {
  readonly dataset: Dataset;
  readonly options: ValidationOptions;
  readonly processedAtUs: number;
  /** Payloads that are not to be validated again, and why: they become processing errors with their bytes. */
  condemned(item: RunItem): string | undefined;
}

/**
 * Validates the items. A payload on which validation throws (a bug of ours) becomes a processing error; the others are
 * validated without it.
 */
export function validateItems(items: readonly RunItem[], plan: RunPlan): ValidatedRun {
  try {
    return validateAll(items, plan, plan.condemned);
  } catch {
    const reasons = new Map<RunItem, string>();
    for (const item of items) {
      try {
        validateAll([item], plan, plan.condemned);
      } catch (error) {
        reasons.set(item, `validation failed: ${reasonOf(error)}`);
      }
    }
    return validateAll(items, plan, (item) => plan.condemned(item) ?? reasons.get(item));
  }
}

function validateAll(
  items: readonly RunItem[],
  plan: RunPlan,
  condemned: (item: RunItem) => string | undefined,
): ValidatedRun {
  const run = plan.dataset.beginRun(plan.options, plan.processedAtUs);
  const refused: DeadLetter[] = [];
  for (const item of items) {
    const reason = condemned(item);
    if (reason !== undefined) refused.push(letterOf(item, "processing_error", reason, plan));
    else if (item.refused) refused.push(letterOf(item, item.refused.errorType, item.refused.message, plan));
    else run.add(item.input);
  }
  const done = run.finish();
  if (refused.length === 0) return done;
  return { ...done, received: done.received + refused.length, rejected: [...done.rejected, ...refused] };
}

function letterOf({ input }: RunItem, errorType: ErrorType, message: string, plan: RunPlan): DeadLetter {
  return makeDeadLetter({
    dataset: plan.dataset.name,
    errorType,
    message,
    timestampUs: plan.processedAtUs,
    bytes: input.bytes,
    userId: null,
    deviceId: null,
    sampleId: null,
    dataType: null,
    topic: input.origin.topic ?? input.subject,
    partition: input.origin.partition ?? input.shard,
    offset: input.origin.offset ?? input.sequence,
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
