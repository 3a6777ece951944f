import { backOffMs, pause } from "./back-off.ts";
import type { LogRecord, ReadOptions } from "./log.ts";
import { fromClient } from "./nats-errors.ts";
import { PrefetchQueue } from "./prefetch-queue.ts";
import { PullConsumer, type ReadSource } from "./pull-consumer.ts";
import { StreamError } from "./stream-error.ts";
import { assertDisjointFilters } from "./subject.ts";

const PREFETCH_BYTES_DEFAULT = 16 * 1024 * 1024;
const PREFETCH_BYTES_MIN = 64 * 1024;
const PREFETCH_BYTES_MAX = 32 * 1024 * 1024;
const RETRY = { delayMinMs: 50, delayMaxMs: 2_000 };

/** Reads by way of consumers, one after the other, each placed right after the last record that came. */
export async function* readStream(opened: ReadSource, options: ReadOptions): AsyncGenerator<LogRecord> {
  const { subjects, afterSequence, signal } = options;
  const source = { ...opened, identity: options.identity ?? opened.identity };
  assertDisjointFilters(subjects);
  if (!Number.isSafeInteger(afterSequence) || afterSequence < 0) {
    throw new StreamError("invalid", `not a sequence: ${afterSequence}`, { afterSequence });
  }
  const asked = options.prefetchBytesMax ?? PREFETCH_BYTES_DEFAULT;
  const queue = new PrefetchQueue(Math.min(Math.max(asked, PREFETCH_BYTES_MIN), PREFETCH_BYTES_MAX));
  const stopped = new AbortController();
  const stop = AbortSignal.any([signal, stopped.signal, source.link.ended]);
  const filling = fill(source, queue, subjects, afterSequence, stop);
  try {
    yield* queue.read(signal);
  } finally {
    stopped.abort();
    await filling;
  }
}

/** Never rejects: what ends it goes through the queue to the reader. */
async function fill(
  source: ReadSource,
  queue: PrefetchQueue,
  subjects: readonly string[],
  afterSequence: number,
  stop: AbortSignal,
): Promise<void> {
  const { link, stream } = source;
  let position = afterSequence;
  let failures = 0;
  while (!stop.aborted) {
    await link.whenConnected(stop);
    if (stop.aborted) break;
    const consumer = new PullConsumer(source, queue, position);
    try {
      await consumer.run(subjects, stop);
      failures = consumer.delivered > 0 ? 0 : failures + 1;
    } catch (thrown) {
      const error = fromClient(thrown, "unavailable", { stream, afterSequence: position });
      if (!error.retryable) return queue.end(error);
      failures += 1;
    }
    position = consumer.position;
    if (failures > 0 && link.connected) await pause(backOffMs(failures - 1, RETRY), stop);
  }
  const reason = link.ended.aborted ? await link.closed : undefined;
  queue.end(
    reason && new StreamError("unavailable", `the connection ended: ${reason.message}`, { stream }, { cause: reason }),
  );
}
