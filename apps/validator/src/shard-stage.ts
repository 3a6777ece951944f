import { randomUUID } from "node:crypto";

import {
  acceptedSubject,
  intakeSubject,
  NewerFormat,
  OTHERS_HEADER,
  parseOtherEnds,
  type Dataset,
  type ValidatedRun,
  type ValidationOptions,
} from "@firn/core";
import {
  handedOn,
  noTracer,
  originsOf,
  repeatTurns,
  type Logger,
  type Parking,
  type Tracer,
  type TraceSpan,
} from "@firn/service";
import { appendFenced, isStreamError, type AttemptStore, type Log, type LogRecord } from "@firn/stream";

import { IntakeTrim, type TrimLimits } from "./intake-trim.ts";
import { OldestWaiting } from "./oldest-waiting.ts";
import { planMessages } from "./plan-messages.ts";
import { PoisonWatch } from "./poison-watch.ts";
import { planStart, type StartProblem } from "./plan-start.ts";
import { RunCollector } from "./run-collector.ts";
import { loadPosition, positionHeaders, type ShardPosition } from "./shard-position.ts";
import { itemsOf, validateItems, type RunItem } from "./validate-input.ts";
import type { ValidatorMetrics } from "./validator-metrics.ts";

export interface ShardStageOptions {
  readonly dataset: Dataset;
  readonly shard: number;
  readonly intake: Log;
  readonly validated: Log;
  readonly attempts: AttemptStore;
  readonly parking: Parking;
  readonly metrics: ValidatorMetrics;
  readonly logger: Logger;
  readonly validation: ValidationOptions;
  readonly runBytesMax: number;
  readonly trim: TrimLimits;
  readonly tracer?: Tracer;
}

/** Of INTAKE, by each shard's own reader. */
const PREFETCH_BYTES_MAX = 4 * 1024 * 1024;

/** A run that is validated and waits for its append. */
interface Prepared {
  readonly run: ValidatedRun;
  readonly inputSequence: number;
  readonly storedMs: number;
  readonly startedMs: number;
  readonly messages: number;
  readonly span?: TraceSpan;
}

/**
 * Validates one shard of one dataset: reads INTAKE after the position that the last accepted message names, and
 * appends what each run gives together with the new position. One append is on its way while the next run is read
 * and validated. The expectation on the accepted subject fences a twin: of two appends after the same position one is
 * refused, and the refused stage reads the position again.
 */
export class ShardStage {
  readonly #options: ShardStageOptions;
  readonly #name: string;
  readonly #watch: PoisonWatch;
  readonly #trim: IntakeTrim;
  #watched = false;
  /** One message a run: the last append was too large. */
  #narrow = false;
  /** A message whose own result is too large to append. */
  #oversizeSequence = 0;
  readonly #waiting = new OldestWaiting();
  /** Parked before a message that a newer release wrote. */
  #metNewer = false;

  constructor(options: ShardStageOptions) {
    const { dataset, shard, intake, attempts, trim } = options;
    this.#options = options;
    this.#name = `${dataset.name}.${shard}`;
    this.#watch = new PoisonWatch(attempts, dataset.name, shard);
    this.#trim = new IntakeTrim(intake, intakeSubject(dataset.name, shard), trim);
  }

  /** How long the oldest of the messages waits, when so many do. */
  lagSeconds(messages: number, nowMs: number): number {
    return this.#waiting.seconds(messages, nowMs);
  }

  /** Until the signal aborts; throws what neither waiting nor parking cures. */
  async run(signal: AbortSignal): Promise<void> {
    await repeatTurns(signal, {
      turn: (ending, progressed) => this.#turn(ending, progressed),
      getsOver: (error) => isStreamError(error) && error.kind !== "invalid",
      logger: this.#options.logger,
      fields: { shard: this.#name },
    });
    this.#options.parking.handOver(this.#name);
    await this.#watch.ended();
  }

  /** From the position to the first failure or the end. */
  async #turn(signal: AbortSignal, progressed: () => void): Promise<void> {
    const start = await this.#start(signal);
    if (start === undefined) return;
    const { position, identity } = start;
    if (!this.#watched) await this.#watch.start(position.inputSequence);
    this.#watched = true;
    const turn = new AbortController();
    const read = this.#options.intake.read({
      subjects: [intakeSubject(this.#options.dataset.name, this.#options.shard)],
      afterSequence: position.inputSequence,
      identity,
      signal: AbortSignal.any([signal, turn.signal]),
      prefetchBytesMax: PREFETCH_BYTES_MAX,
    });
    try {
      await this.#pump(new RunCollector(read), position, identity, signal, progressed);
    } catch (error) {
      if (!(error instanceof NewerFormat)) throw error;
      this.#metNewer = true;
      const problem = { kind: "park", reason: error.message, fix: error.fix } as const;
      await this.#park({ ...problem, acceptLossAfter: position.inputSequence }, position, identity, signal);
    } finally {
      turn.abort();
      this.#waiting.forget();
    }
  }

  /** Where to go on, or undefined while parked. */
  async #start(signal: AbortSignal): Promise<{ position: ShardPosition; identity: string } | undefined> {
    const { dataset, shard, intake, validated, parking } = this.#options;
    try {
      const position = await loadPosition(validated, dataset.name, shard);
      const identity = await intake.identity();
      const planned = planStart(position, identity, await intake.bounds());
      if (planned.kind === "go") {
        if (!this.#metNewer) await parking.clear(this.#name);
        return { position, identity };
      }
      await this.#park(planned, position, identity, signal);
    } catch (error) {
      if (error instanceof NewerFormat) {
        await parking.park(this.#name, error.message, error.fix, signal);
        return undefined;
      }
      if (!isStreamError(error, "gone")) throw error;
      const fix = "restore the stream, then start the validator again";
      await parking.park(this.#name, error.message, fix, signal);
    }
    return undefined;
  }

  /** Waits; on an operator's order appends an empty run, so that the new position holds from now on. */
  async #park(problem: StartProblem, position: ShardPosition, identity: string, signal: AbortSignal): Promise<void> {
    const { dataset, parking, logger, validation } = this.#options;
    const order = await parking.park(this.#name, problem.reason, problem.fix, signal);
    if (order === undefined) return;
    const inputSequence = "from" in order ? order.from - 1 : problem.acceptLossAfter;
    logger.warn("goes on by order", { shard: this.#name, after: inputSequence });
    const run = dataset.beginRun(validation, 0).finish();
    const empty = { run, inputSequence, storedMs: 0, startedMs: performance.now(), messages: 0 };
    await this.#append(empty, position, identity, signal);
    await parking.obeyed(this.#name);
  }

  async #pump(
    collector: RunCollector,
    from: ShardPosition,
    identity: string,
    signal: AbortSignal,
    progressed: () => void,
  ): Promise<void> {
    let appended: Promise<ShardPosition> = Promise.resolve(from);
    for (;;) {
      if (this.#oneByOne) await appended;
      const records = await collector.collect(appended, this.#oneByOne ? 1 : this.#options.runBytesMax);
      if (records.length === 0) break;
      const prepared = await this.#prepare(records);
      const position = await appended;
      if (signal.aborted) break;
      appended = this.#append(prepared, position, identity, signal);
      // A failure is seen where it is awaited, which may be later than it happens.
      appended.then(progressed, () => undefined);
    }
    await appended;
  }

  /** Whether each message is a run of its own, tried when the one before it is appended. */
  get #oneByOne(): boolean {
    return this.#watch.careful || this.#narrow;
  }

  async #prepare(records: readonly LogRecord[]): Promise<Prepared> {
    const startedMs = performance.now();
    this.#waiting.taken(records[0]!.timestampMs);
    const { dataset, shard, validation, tracer = noTracer } = this.#options;
    const items = itemsOf(records, shard);
    const condemned = (item: RunItem): string | undefined => this.#condemned(item);
    const plan = { dataset, options: validation, processedAtUs: Date.now() * 1000, condemned };
    if (this.#watch.careful) {
      for (const item of items) {
        if (condemned(item) !== undefined) continue;
        await this.#watch.trying(item);
        validateItems([item], plan);
      }
    }
    const last = records[records.length - 1]!;
    const span = tracer.startSpan("validate", {
      origins: tracer.on ? originsOf(records) : [],
      attributes: { "firn.dataset": dataset.name, "firn.shard": shard, "firn.messages": records.length },
    });
    return {
      span,
      run: validateItems(items, plan),
      inputSequence: last.sequence,
      storedMs: last.timestampMs,
      startedMs,
      messages: records.length,
    };
  }

  #condemned(item: RunItem): string | undefined {
    if (item.input.sequence === this.#oversizeSequence) {
      return "what validation makes of this payload is larger than an append may be";
    }
    return this.#watch.condemned(item);
  }

  async #append(
    prepared: Prepared,
    after: ShardPosition,
    identity: string,
    signal: AbortSignal,
  ): Promise<ShardPosition> {
    const { dataset, shard, validated, metrics, logger } = this.#options;
    const { run, inputSequence } = prepared;
    const next = { inputSequence, records: after.records + run.received };
    const planned = planMessages(run, {
      dataset: dataset.name,
      shard,
      recordBytesMax: validated.recordBytesMax,
      headers: (behind) => positionHeaders({ ...next, others: after.others }, identity, behind),
    });
    const records = prepared.span ? handedOn(planned, prepared.span) : planned;
    const fence = { subject: acceptedSubject(dataset.name, shard), expectedLastSequence: after.outputSequence };
    const onRetry = (error: { kind: string }): void => {
      metrics.retried(error.kind);
      logger.warn("append failed, trying again", { shard: this.#name, error });
    };
    try {
      const { lastSequence } = await appendFenced(
        validated,
        { records, ...fence, runId: randomUUID() },
        { signal, onRetry },
      );
      this.#passed(prepared);
      prepared.span?.end({ "firn.received": run.received, "firn.accepted": run.rows.rows });
      if (this.#metNewer) await this.#options.parking.clear(this.#name);
      this.#metNewer = false;
      await this.#trim.validated(inputSequence, prepared.storedMs, Date.now());
      const others = parseOtherEnds(records.at(-1)!.headers?.[OTHERS_HEADER], lastSequence);
      return { ...next, inputIdentity: identity, outputSequence: lastSequence, others };
    } catch (error) {
      prepared.span?.end({}, error);
      if (isStreamError(error, "too_large")) this.#tooLarge(prepared);
      throw error;
    }
  }

  #passed(prepared: Prepared): void {
    this.#waiting.appended();
    this.#watch.passed();
    this.#narrow = false;
    this.#options.metrics.appended(
      this.#options.dataset.name,
      prepared.run,
      (performance.now() - prepared.startedMs) / 1000,
    );
  }

  /** The next turn makes smaller runs; a message that alone is too large is refused as a whole. */
  #tooLarge(prepared: Prepared): void {
    if (prepared.messages === 1) this.#oversizeSequence = prepared.inputSequence;
    this.#narrow = true;
  }
}
