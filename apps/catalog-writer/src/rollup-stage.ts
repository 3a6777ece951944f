/**
 * Writes the aggregator's rounds of a lane into its rollups' tables, one after the other.
 *
 * A table that already has the round is left alone, so a round that was half written when the process ended is
 * finished, not repeated. A round that cannot be written (its files are gone, the table is not what it was computed on)
 * is left out: the table then names no snapshot of raw, and the aggregator computes every window anew. Aggregates are
 * derived, so nothing that happens to them or to the stream of rounds needs a person.
 */
import {
  committedHint,
  decodeRollupRound,
  identityProperty,
  NewerFormat,
  parsePositions,
  positionProperty,
  type RollupChange,
  type RollupDefinition,
  type RollupRound,
  rollupSubject,
  sourceSnapshotEntry,
  sourceSnapshotProperty,
  sourceTableProperty,
  stagedFiles,
  STATE_VERSION,
  stateVersionProperty,
  traceEntry,
  writerEpochProperty,
} from "@firn/core";
import {
  type CommitPlan,
  definedIdentifier,
  isLakeError,
  type KernelConnection,
  LakeError,
  loadTable,
  postCommit,
  stageCommit,
  type Table,
} from "@firn/lake";
import { noTracer, originsOf, type Parking, repeatTurns, type Tracer } from "@firn/service";
import { isStreamError, type Log, type LogRecord } from "@firn/stream";
import type { CommitQueue } from "./commit-queue.ts";
import { findTables, goneWithRaw, type LaneTablesParts, untilOthersChange, whyForeign } from "./lane-tables.ts";
import { isComputedOn } from "./round-base.ts";
import { findMissing, stageRollupChange } from "./stage-rollup-change.ts";
import { newerState } from "./table-problem.ts";

export interface RollupStageOptions extends LaneTablesParts {
  readonly connection: KernelConnection;
  readonly log: Log;
  readonly queueOf: (table: string) => CommitQueue;
  readonly parking: Parking;
  readonly writerEpoch: string;
  readonly tracer?: Tracer;
  hint(subject: string): void;
  committed(table: Table, done: { filesAdded: number; published: number }, durationMs: number): void;
  /** A turn failed by something that passes, and begins anew. */
  setBack?(error: unknown): void;
}

export class RollupStage {
  readonly #options: RollupStageOptions;

  constructor(options: RollupStageOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    await repeatTurns(signal, {
      turn: (ending, progressed) => this.#turn(ending, progressed),
      getsOver: (error) => {
        const passes =
          isStreamError(error) || (isLakeError(error) && error.kind !== "invalid" && error.kind !== "unsupported");
        if (passes) this.#options.setBack?.(error);
        return passes;
      },
      logger: this.#options.logger,
      fields: { stage: this.#options.lane.name, dataset: this.#options.dataset.name },
    });
    this.#options.parking.handOver(`${this.#options.dataset.name}.${this.#options.lane.name}`);
  }

  async #turn(signal: AbortSignal, progressed: () => void): Promise<void> {
    const { dataset, lane, log, parking } = this.#options;
    const subject = rollupSubject(dataset.name, lane.number);
    const identity = await log.identity();
    const name = `${dataset.name}.${lane.name}`;
    const gone = await goneWithRaw(this.#options);
    if (gone !== undefined) {
      const fix = `firn resume ${dataset.name} --accept-loss makes them anew`;
      return this.#park(name, `the tables ${dataset.raw.name} and ${gone} are gone`, fix, signal);
    }
    const tables = await findTables(this.#options);
    const newer = tables.map(({ metadata }) => newerState(metadata)).find((one) => one !== undefined);
    if (newer !== undefined) return this.#park(name, newer.message, newer.fix, signal);
    const reason = whyForeign(lane, tables);
    if (reason !== undefined) {
      return this.#park(name, reason, "drop or rename it: the lake then makes its own, from raw", signal);
    }
    await parking.clear(name);
    const place = { subject, identity };
    const last = (await log.last(subject))?.sequence ?? 0;
    // A stream that was restored from an older copy ends before what the tables have of it.
    for (const table of tables)
      if (this.#positionOf(table, place) > last) await this.#leaveOut(table, last, place, "the stream ends before it");
    const position = Math.min(...tables.map((table) => Math.min(last, this.#positionOf(table, place))));
    const turn = new AbortController();
    const both = AbortSignal.any([signal, turn.signal]);
    const looking = untilOthersChange(this.#options, tables, both).finally(() => turn.abort());
    try {
      for await (const record of log.read({ subjects: [subject], afterSequence: position, identity, signal: both })) {
        await this.#write(record, place);
        await log.trim(subject, record.sequence);
        progressed();
      }
    } finally {
      turn.abort();
      await looking;
    }
  }

  /** Only what others do ends it: an order alone changes nothing, and must not be met again and again. */
  async #park(name: string, reason: string, fix: string, signal: AbortSignal): Promise<void> {
    const { parking } = this.#options;
    if (await parking.park(name, reason, fix, signal)) await parking.obeyed(name);
  }

  async #write(record: LogRecord, place: RoundPlace): Promise<void> {
    const round = decoded(record);
    for (const rollup of this.#options.lane.rollups) {
      const change =
        typeof round === "string" ? undefined : round.rollups.find((candidate) => candidate.rollup === rollup.name);
      const work = async () => {
        const table = await loadTable(this.#options.env, definedIdentifier(rollup.table));
        if (this.#positionOf(table, place) >= record.sequence) return;
        if (typeof round === "string") await this.#leaveOut(table, record.sequence, place, round);
        else if (!change) await this.#leaveOut(table, record.sequence, place, "it has nothing for this table");
        else {
          const reason = await this.#whyNot(table, change);
          if (reason !== undefined) await this.#leaveOut(table, record.sequence, place, reason);
          else await this.#writeTable(table, rollup, round, change, record, place);
        }
      };
      await this.#options.queueOf(rollup.table.name).run(work, change ? rowsOf(change) : 0);
    }
    if (typeof round !== "string") await this.#removeStaged(round);
  }

  async #writeTable(
    table: Table,
    rollup: RollupDefinition,
    round: RollupRound,
    change: RollupChange,
    record: LogRecord,
    place: RoundPlace,
  ): Promise<void> {
    const started = performance.now();
    const { connection, env, tracer = noTracer } = this.#options;
    const attributes = { "firn.table": rollup.table.name, "firn.rows": rowsOf(change) };
    const span = tracer.startSpan("commit", { origins: tracer.on ? originsOf([record]) : [], attributes });
    const trace = span.traceparent === undefined ? {} : { [traceEntry]: span.traceparent };
    const { snapshot, published } = await stageRollupChange(connection, { env, table, rollup, change });
    const committed = await this.#commit({
      table,
      changes: [{ ...snapshot, summary: { [sourceSnapshotEntry]: round.sourceSnapshot, ...trace } }],
      setProperties: {
        ...this.#taken(record.sequence, place),
        [sourceSnapshotProperty]: round.sourceSnapshot,
        [sourceTableProperty]: round.sourceTable,
      },
    });
    span.end({ "firn.snapshot_id": String(committed.metadata["current-snapshot-id"]) });
    const durationMs = performance.now() - started;
    const filesAdded = snapshot.addedData?.length ?? 0;
    this.#options.logger.debug("committed", {
      table: rollup.table.name,
      files: filesAdded,
      durationMs: Math.round(durationMs),
    });
    this.#options.committed(committed, { filesAdded, published }, durationMs);
  }

  /** Moves past a round without its rows: the table names no snapshot of raw until the aggregator has made it whole. */
  async #leaveOut(table: Table, sequence: number, place: RoundPlace, reason: string): Promise<void> {
    const { name } = table.identifier;
    this.#options.logger.warn("a round is left out, the aggregator computes anew", { table: name, sequence, reason });
    await this.#commit({
      table,
      changes: [{ operation: "append", addedData: [] }],
      setProperties: this.#taken(sequence, place),
      removeProperties: [sourceSnapshotProperty, sourceTableProperty],
    });
  }

  #taken(sequence: number, { subject, identity }: RoundPlace): Record<string, string> {
    const { log, writerEpoch } = this.#options;
    return {
      [positionProperty(log.stream, subject)]: String(sequence),
      [identityProperty(log.stream)]: identity,
      [writerEpochProperty]: writerEpoch,
      [stateVersionProperty]: String(STATE_VERSION),
    };
  }

  async #commit(plan: CommitPlan): Promise<Table> {
    const { env } = this.#options;
    const { identifier } = plan.table;
    const result = await postCommit(env, await stageCommit(env, plan));
    if (result.kind === "conflict")
      throw new LakeError("conflict", `${identifier.name}: another commit came first`, { context: {} });
    this.#options.hint(committedHint(identifier.namespace.join("."), identifier.name));
    return result.table;
  }

  /** The last round that the table has taken up; positions of another stream count for nothing. */
  #positionOf({ metadata: { properties } }: Table, { subject, identity }: RoundPlace): number {
    const { stream } = this.#options.log;
    if (properties[identityProperty(stream)] !== identity) return 0;
    return parsePositions(properties, stream).get(subject) ?? 0;
  }

  /** Why a change cannot be written into its table; undefined when it can. */
  async #whyNot(table: Table, change: RollupChange): Promise<string | undefined> {
    if (!isComputedOn(table.metadata, change.onto)) return "the table is not what it was computed on";
    try {
      const gone = await findMissing(this.#options.env.store, change);
      return gone === undefined ? undefined : `its staged file ${gone} is gone or damaged`;
    } catch (error) {
      if (isLakeError(error, "unsupported")) return `${error.message}: upgrade the catalog-writer`;
      throw error;
    }
  }

  /** Staged files have served; one that stays behind is an orphan that maintenance finds. */
  async #removeStaged(round: RollupRound): Promise<void> {
    await Promise.all(round.rollups.flatMap(stagedFiles).map((file) => this.#options.env.store.delete(file.location)));
  }
}

/** Where rounds come from: the stream's identity now, and the subject. */
interface RoundPlace {
  readonly subject: string;
  readonly identity: string;
}

/** The round, or why it cannot be taken: rounds of other versions are left out, since their windows come from raw again. */
function decoded(record: LogRecord): RollupRound | string {
  try {
    return decodeRollupRound(record.data);
  } catch (error) {
    if (error instanceof SyntaxError) return "it cannot be read";
    if (error instanceof NewerFormat) return `${error.message}: upgrade the catalog-writer`;
    throw error;
  }
}

function rowsOf(change: RollupChange): number {
  return [...change.upserts, ...change.deletes].reduce((sum, file) => sum + file.rows, 0);
}
