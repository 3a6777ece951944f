/**
 * Drives one keyed table: reads its subjects from the log, fills batches, commits them when they are due.
 *
 * Loading the next batch goes on while one is committed; judging it waits for that commit. Everything that goes wrong
 * with the world ends the turn: the table is opened again and the log read from the position that the table names.
 */
import { committedHint, NewerFormat, refuseNewerColumnBatch, refuseNewerRejectedBatch } from "@firn/core";
import { isLakeError, isOutOfMemory, type Table } from "@firn/lake";
import { type Logger, noTracer, type Parking, repeatTurns, type Tracer } from "@firn/service";
import { isStreamError, type Log, type LogRecord } from "@firn/stream";
import { Arrivals } from "./arrivals.ts";
import { type Batch, heldBytesMax } from "./batch.ts";
import { type CadenceLimits, commitDue, isFull } from "./cadence.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { type CommitReport, KeyedTable, TableMoved } from "./keyed-table.ts";
import type { KnownTables } from "./known-tables.ts";
import { OpenBatches, type OpenBatchesOptions } from "./open-batches.ts";
import { commitResume, planPosition, type PositionProblem } from "./resume-position.ts";
import { alignColumns } from "./defined-columns.ts";
import { planTable } from "./table-problem.ts";

const prefetchBytesMax = 4 * 1024 * 1024;
/** Of a message at least, about. */
const bytesPerRow = 130;
const lookAgainDefaultMs = 5_000;
/** A commit of more rows than this has the memory for itself. */
const rowsCommittedAlone = 200_000;
/** A batch for which memory does not suffice is halved down to this. */
const batchBytesMin = 1024 * 1024;

export interface TableStageOptions extends OpenBatchesOptions {
  readonly log: Log;
  readonly known: KnownTables;
  readonly queue: CommitQueue;
  readonly parking: Parking;
  readonly limits: CadenceLimits;
  readonly logger: Logger;
  readonly tracer?: Tracer;
  /** How often the table is looked at while nothing comes, in milliseconds. */
  readonly lookAgainMs?: number;
  hint(subject: string): void;
  /** After each commit: metrics, maintenance. */
  committed(table: KeyedTable, report: CommitReport, durationMs: number): void;
  /** A turn failed by something that passes, and begins anew. */
  setBack?(error: unknown): void;
}

export class TableStage {
  readonly #options: TableStageOptions;
  readonly #lookAgainMs: number;
  /** What is gathered or on its way to the table. */
  readonly #open: OpenBatches;
  #table: KeyedTable | undefined;
  /** Before the first commit a guess, so that the start of a backfill is not cut into small files. */
  #lastCommitMs = 1_000;
  #lastBytes = 0;
  #committingRows = 0;
  #lookedMs = performance.now();
  #bytesMax: number;
  /** Parked before a message that a newer release wrote. */
  #metNewer = false;

  constructor(options: TableStageOptions) {
    this.#options = options;
    this.#open = new OpenBatches(options);
    this.#bytesMax = options.limits.bytesMax;
    this.#lookAgainMs = options.lookAgainMs ?? lookAgainDefaultMs;
  }

  /** The table as it was last committed or opened; undefined until the stage has opened it. */
  get table(): KeyedTable | undefined {
    return this.#table;
  }

  /** How long the oldest message of each shard waits for its commit; 0 where none does. */
  lagSeconds(nowMs: number): Map<number, number> {
    return this.#open.lagSeconds(nowMs);
  }

  async run(signal: AbortSignal): Promise<void> {
    await repeatTurns(signal, {
      turn: (ending, progressed) => this.#turn(ending, progressed),
      getsOver: (error) => {
        const passes = this.#halves(error) || isPassing(error);
        if (passes) this.#options.setBack?.(error);
        return passes;
      },
      logger: this.#options.logger,
      fields: { table: this.#options.name },
    });
    this.#options.parking.handOver(this.#options.name);
  }

  /** Where memory did not suffice, batches are halved from now on. */
  #halves(error: unknown): boolean {
    if (!isOutOfMemory(error) || this.#bytesMax <= batchBytesMin) return false;
    this.#bytesMax = Math.max(batchBytesMin, this.#bytesMax / 2);
    return true;
  }

  /** From an opened table to the first failure or the end. */
  async #turn(signal: AbortSignal, progressed: () => void): Promise<void> {
    const { known, log, name, parking, queue } = this.#options;
    const { definition, env, subjects } = this.#options.table;
    const identity = await log.identity();
    const stream = { stream: log.stream, identity, subjects };
    const state = await known.state(definition);
    const wrong = planTable(state, definition, stream, name) ?? (await alignColumns(env, state, definition, name));
    if (wrong) {
      this.#table = undefined;
      await this.#park(wrong, signal, wrong.canGoOn ? () => known.findOrMake(definition) : undefined);
      return;
    }
    const table = await queue.run(() => KeyedTable.open(this.#options.table));
    this.#table = table;
    const place = { name: definition.name, position: table.position(), known: table.streamIdentity() };
    const { lastSequence } = await log.bounds();
    const problem = planPosition(place, { stream: log.stream, identity, lastSequence }, name);
    if (problem) {
      await this.#park(problem, signal, () => Promise.resolve(table.table));
      return;
    }
    if (!this.#metNewer) await parking.clear(name);
    const turn = new AbortController();
    const both = AbortSignal.any([signal, turn.signal]);
    const arrivals = new Arrivals(
      log.read({ subjects, afterSequence: table.position(), identity, signal: both, prefetchBytesMax }),
    );
    try {
      await this.#pump(table, arrivals, identity, signal, progressed);
    } catch (error) {
      if (!(error instanceof NewerFormat)) throw error;
      this.#metNewer = true;
      const newer = { reason: error.message, fix: error.fix, acceptLossAfter: table.position() };
      await this.#park(newer, signal, () => Promise.resolve(table.table));
    } finally {
      turn.abort();
    }
  }

  /** Stands still, or carries out an operator's order with the table that is to be gone on with. */
  async #park(
    problem: PositionProblem,
    signal: AbortSignal,
    tableToGoOnWith: (() => Promise<Table>) | undefined,
  ): Promise<void> {
    const { known, log, name, parking, queue } = this.#options;
    const { definition, env, subjects } = this.#options.table;
    const order = await parking.park(name, problem.reason, problem.fix, signal);
    if (!order) return;
    if (tableToGoOnWith) {
      const table = await tableToGoOnWith();
      await queue.run(() => commitResume(env, table, log, subjects, order, problem));
      await known.remember(definition, table);
    }
    await parking.obeyed(name);
  }

  async #pump(
    table: KeyedTable,
    arrivals: Arrivals,
    identity: string,
    signal: AbortSignal,
    progressed: () => void,
  ): Promise<void> {
    const limits = { ...this.#options.limits, bytesMax: this.#bytesMax };
    let batch = this.#open.add();
    let lastArrivalMs = 0;
    let committing: Promise<void> | undefined;
    let failure: unknown;
    try {
      while (!signal.aborted && failure === undefined) {
        const verdict = this.#verdict(batch, limits, lastArrivalMs);
        if (verdict.due && committing === undefined) {
          const due = batch;
          batch = this.#open.add();
          committing = this.#commit(table, due, identity)
            .then(progressed, (error: unknown) => void (failure = error))
            .finally(() => void (committing = undefined));
          continue;
        }
        if (committing !== undefined && ((verdict.due && isFull(limits, batch)) || this.#waits(batch))) {
          lastArrivalMs += await untilDone(committing, batch);
          continue;
        }
        const record = await arrivals.next(verdict.due ? 20 : verdict.waitMs);
        if (record === "ended") break;
        if (record === "none") {
          if (batch.messages === 0 && committing === undefined) await this.#look(table);
          continue;
        }
        failure = this.#newer(record);
        if (failure !== undefined) break;
        batch.add(record, performance.now());
        await batch.absorb();
        // What came while the batch absorbed is not quiet.
        lastArrivalMs = performance.now();
      }
      await committing;
      if ((failure === undefined || failure instanceof NewerFormat) && batch.messages > 0)
        await this.#commit(table, batch, identity);
    } finally {
      await committing;
      await this.#open.drop(batch);
    }
    if (failure !== undefined) throw failure;
  }

  /** While a large batch is committed, the next one is not loaded: memory is that of the larger work, not of both. */
  #waits({ heldBytes }: Batch): boolean {
    return this.#committingRows > rowsCommittedAlone && heldBytes >= heldBytesMax / 2;
  }

  /** DuckDB reads messages by the names of columns: one of another version would give nulls. */
  #newer({ data }: LogRecord): NewerFormat | undefined {
    try {
      if (this.#options.kind === "accepted") refuseNewerColumnBatch(data);
      else refuseNewerRejectedBatch(data);
      return undefined;
    } catch (error) {
      if (error instanceof NewerFormat) return error;
      throw error;
    }
  }

  /** Whether the batch is due now, and how long it may wait otherwise. */
  #verdict(batch: Batch, limits: CadenceLimits, lastArrivalMs: number): { due: boolean; waitMs: number } {
    if (batch.messages === 0) return { due: false, waitMs: Math.min(1000, this.#lookAgainMs) };
    const nowMs = performance.now();
    return commitDue(limits, {
      bytes: batch.bytes,
      rows: batch.rows,
      ageMs: nowMs - batch.firstArrivalMs,
      quietMs: nowMs - lastArrivalMs,
      lastCommitMs: this.#lastCommitMs,
      lastBytes: this.#lastBytes,
    });
  }

  /** While nothing comes: whether the table is still the one that was opened; others may have dropped or changed it. */
  async #look(table: KeyedTable): Promise<void> {
    if (performance.now() - this.#lookedMs < this.#lookAgainMs) return;
    this.#lookedMs = performance.now();
    const { env, identifier } = this.#options.table;
    const isSame = await this.#options.queue.run(async () => {
      const loaded = await env.catalog.loadTable(identifier, { snapshots: "refs" });
      if (loaded === "unchanged") return true;
      const ours = table.table.metadata;
      return (["table-uuid", "current-snapshot-id"] as const).every((key) => loaded.metadata[key] === ours[key]);
    });
    if (!isSame) throw new TableMoved(`${identifier.name}: another process changed it`);
  }

  async #commit(table: KeyedTable, batch: Batch, identity: string): Promise<void> {
    const { tracer = noTracer } = this.#options;
    const span = tracer.startSpan("commit", {
      origins: [...batch.origins],
      attributes: {
        "firn.table": this.#options.table.identifier.name,
        "firn.messages": batch.messages,
        "firn.rows": batch.rows,
      },
    });
    try {
      const report = await this.#options.queue.run(async () => {
        const started = performance.now();
        this.#committingRows = batch.rows;
        const committed = await table.commit(batch, identity, span.traceparent);
        this.#lastCommitMs = performance.now() - started;
        this.#lastBytes = batch.bytes;
        return committed;
      }, batch.bytes / bytesPerRow);
      span.end({ "firn.snapshot_id": String(report.snapshotId) });
      if (this.#metNewer) await this.#options.parking.clear(this.#options.name);
      this.#metNewer = false;
      const { identifier, stream, subjects } = this.#options.table;
      this.#options.hint(committedHint(identifier.namespace.join("."), identifier.name));
      this.#options.logger.debug("committed", {
        table: identifier.name,
        ...report,
        snapshotId: String(report.snapshotId),
        stream,
      });
      this.#options.committed(table, report, this.#lastCommitMs);
      for (const subject of subjects) await this.#options.log.trim(subject, batch.lastSequence);
    } catch (error) {
      span.end({}, error);
      throw error;
    } finally {
      this.#committingRows = 0;
      await this.#open.drop(batch);
    }
  }
}

/**
 * Waits for the commit of the batch before. Nothing was asked for meanwhile, so it counts neither as silence nor to the
 * batch's age: a commit of few rows into many files would follow.
 * @returns milliseconds
 */
async function untilDone(committing: Promise<void>, batch: Batch): Promise<number> {
  const since = performance.now();
  await committing;
  const waitedMs = performance.now() - since;
  batch.firstArrivalMs += waitedMs;
  return waitedMs;
}

/** Failures of the world that opening the table again can mend. */
function isPassing(error: unknown): boolean {
  if (error instanceof TableMoved) return true;
  if (isLakeError(error)) return error.kind !== "invalid" && error.kind !== "unsupported";
  return isStreamError(error);
}
