import type { PipelineStatus } from "@firn/client";
import type { Dataset } from "@firn/core";
import { isLakeError } from "@firn/lake";
import { Problem } from "@firn/service";
import { isStreamError } from "@firn/stream";
import type { TableCache } from "../tables/table-cache.ts";
import { lakeProblem } from "../tables/unreadable.ts";
import { datasetCounts } from "./counts.ts";
import { heldMessages, isTaken, readKafkaHold, type KafkaHold } from "./kafka-hold.ts";
import type { PipelineReading } from "./pipeline-reading.ts";
import { readIntakeEnds, readLag, readParked, readPipeline, readTowards } from "./read-pipeline.ts";
import { advance, isSettled, settleTarget, type SettleTarget } from "./settling.ts";
import { streamProblem, type StreamLink } from "./stream-link.ts";

export interface PipelineParts {
  readonly link: StreamLink;
  readonly tables: TableCache;
  readonly datasets: readonly Dataset[];
}

/**
 * Pauses between two looks while somebody waits: short at first, as most has little to wait for. A commit that is heard of
 * ends one early, so that long ones cost nobody time but where a hint was lost.
 */
const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 1_000;
const PAUSE_GROWTH = 1.5;
/** Commits come in bursts (raw, then the aggregates): one look for several. */
const AFTER_HINT_MS = 5;

/** Answers `/api/pipeline`. */
export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /**
   * Looks until everything acknowledged before the call is settled, `waitMs` have passed or the signal aborts. What
   * Kafka held at the call counts too: first it has to be in INTAKE, then INTAKE's ends are what has to be settled.
   */
  async status(waitMs: number, signal: AbortSignal): Promise<PipelineStatus> {
    const endsAt = performance.now() + waitMs;
    let aim: KafkaHold | undefined;
    let target: SettleTarget | undefined;
    for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWTH, PAUSE_MAX_MS)) {
      const isOver = performance.now() >= endsAt || signal.aborted;
      const whole = target === undefined || isOver || isSettled(target);
      const attempt = await this.#look({ target, whole, aim });
      if (attempt.kind === "failed") {
        if (isOver) throw attempt.problem;
      } else {
        aim = attempt.aim;
        target = attempt.taken ? attempt.target : undefined;
        const settled = attempt.taken && isSettled(attempt.target);
        if (whole && (settled || isOver)) return await this.#report(attempt.reading, settled);
        if (settled) continue;
      }
      await this.#pause(Math.min(pauseMs, Math.max(endsAt - performance.now(), 0)), signal);
    }
  }

  async #look({ target, whole, aim }: LookAt): Promise<Look> {
    const { link, tables, datasets } = this.#parts;
    try {
      const open = link.streams();
      // A target is there as soon as all of Kafka's was taken: it need not be asked again.
      const hold: KafkaHold = target === undefined ? await readKafkaHold(open) : { kind: "none" };
      const first = aim === undefined || aim.kind === "unknown" ? hold : aim;
      const from = target ?? settleTarget(await readIntakeEnds(open, datasets, link.shards));
      const reading = whole
        ? await readPipeline(open, tables, datasets, link.shards)
        : await readTowards(open, tables, datasets, link.shards, from);
      return { kind: "seen", reading, target: advance(from, reading), aim: first, taken: isTaken(first, hold) };
    } catch (error) {
      if (error instanceof Problem || isStreamError(error) || isLakeError(error)) {
        return { kind: "failed", problem: lakeProblem(streamProblem(error), "of the pipeline") };
      }
      throw error;
    }
  }

  async #report(reading: PipelineReading, settled: boolean): Promise<PipelineStatus> {
    const { link, datasets } = this.#parts;
    try {
      const open = link.streams();
      const [streams, parked, hold] = await Promise.all([
        readLag(open, reading),
        readParked(open, datasets, link.shards),
        readKafkaHold(open),
      ]);
      const lag = { ...streams, intake: streams.intake + heldMessages(hold) };
      const counts = reading.datasets.map((one) => [one.dataset.name, datasetCounts(one, settled)] as const);
      // What a stage lost that waits for a decision may have been acknowledged.
      return { settled: settled && parked.length === 0, parked, lag, datasets: Object.fromEntries(counts) };
    } catch (error) {
      throw streamProblem(error);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        endHints();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      const endHints = this.#parts.link.onCommit(() => setTimeout(done, AFTER_HINT_MS));
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

interface LookAt {
  readonly target: SettleTarget | undefined;
  /** Everything is read, as an answer needs it; else what the target waits for. */
  readonly whole: boolean;
  readonly aim: KafkaHold | undefined;
}

type Look =
  | {
      readonly kind: "seen";
      readonly reading: PipelineReading;
      readonly target: SettleTarget;
      /** What Kafka held at the first look that knew, and whether the lake has all of that. */
      readonly aim: KafkaHold;
      readonly taken: boolean;
    }
  | { readonly kind: "failed"; readonly problem: unknown };
