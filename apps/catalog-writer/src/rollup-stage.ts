/**
 * Writes the aggregator's rounds into the rollup tables, in the order day, week, month.
 *
 * A table that already names the round's snapshot is left alone, so a round that was half written when the process
 * ended is finished, not repeated. Rows are upserts by identity: writing one twice would change nothing but time.
 */
import {
  committedHint,
  decodeRollupRound,
  type Dataset,
  identityProperty,
  parsePositions,
  positionProperty,
  type RollupChange,
  type RollupDefinition,
  type RollupRound,
  rollupSubject,
  sourceSnapshotProperty,
  sourceTableProperty,
  type StagedRows,
  writerEpochProperty,
} from "@firn/core";
import {
  isLakeError,
  type KernelConnection,
  type LakeEnvironment,
  LakeError,
  loadTable,
  postCommit,
  type SnapshotChange,
  sqlStringList,
  stageCommit,
  stageUpsert,
  type Table,
  type TableIdentifier,
} from "@firn/lake";
import type { Logger } from "@firn/service";
import { isStreamError, type Log } from "@firn/stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommitQueue } from "./commit-queue.ts";
import type { Parking } from "./parking.ts";
import { commitResume, planPosition, type PositionProblem } from "./resume-position.ts";

const retryMinMs = 200;
const retryMaxMs = 5_000;

export interface RollupStageOptions {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  readonly log: Log;
  readonly queueOf: (table: string) => CommitQueue;
  readonly parking: Parking;
  readonly writerEpoch: string;
  readonly logger: Logger;
  hint(subject: string): void;
  committed(table: Table, filesAdded: number, durationMs: number): void;
}

export class RollupStage {
  readonly #options: RollupStageOptions;

  constructor(options: RollupStageOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#turn(signal, () => (failures = 0));
      } catch (error) {
        const passing =
          isStreamError(error) || (isLakeError(error) && error.kind !== "invalid" && error.kind !== "unsupported");
        if (!passing) throw error;
        const waitMs = Math.min(retryMaxMs, retryMinMs * 2 ** failures++);
        this.#options.logger.warn("rollup turn ended, opening the tables again", { error: String(error), waitMs });
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #turn(signal: AbortSignal, progressed: () => void): Promise<void> {
    const { dataset, env, log, parking } = this.#options;
    const subject = rollupSubject(dataset.name, 0);
    const identity = await log.identity();
    const name = `${dataset.name}.rollup`;
    const tables = await this.#tables();
    const problem = await this.#positionProblem(tables, subject, identity, name);
    if (problem) {
      const order = await parking.park(name, problem.reason, problem.fix, signal);
      if (!order) return;
      for (const table of tables)
        await this.#options
          .queueOf(table.identifier.name)
          .run(() => commitResume(env, table, log, [subject], order, problem));
      await parking.obeyed(name);
      return;
    }
    await parking.clear(name);
    // The last round that is in every rollup table.
    const position = Math.min(...tables.map((table) => positionOf(table, log.stream, subject)));
    const turn = new AbortController();
    const both = AbortSignal.any([signal, turn.signal]);
    try {
      for await (const record of log.read({ subjects: [subject], afterSequence: position, identity, signal: both })) {
        await this.#write(decodeRollupRound(record.data), subject, record.sequence, identity);
        await log.trim(subject, record.sequence);
        progressed();
      }
    } finally {
      turn.abort();
    }
  }

  #tables(): Promise<Table[]> {
    const { dataset, env } = this.#options;
    return Promise.all(dataset.rollups.map((rollup) => loadTable(env, identifierOf(rollup))));
  }

  /** The first table whose position does not fit the stream; after a loss the aggregator makes every window anew. */
  async #positionProblem(
    tables: readonly Table[],
    subject: string,
    identity: string,
    name: string,
  ): Promise<PositionProblem | undefined> {
    const { log } = this.#options;
    const { lastSequence } = await log.bounds();
    for (const table of tables) {
      const known = table.metadata.properties[identityProperty(log.stream)];
      const place = { name: table.identifier.name, position: positionOf(table, log.stream, subject), known };
      const problem = planPosition(place, { stream: log.stream, identity, lastSequence }, name);
      if (problem) return problem;
    }
    return undefined;
  }

  async #write(round: RollupRound, subject: string, sequence: number, identity: string): Promise<void> {
    for (const rollup of this.#options.dataset.rollups) {
      const change = round.rollups.find((candidate) => candidate.rollup === rollup.name);
      if (!change) continue;
      await this.#options
        .queueOf(rollup.table.name)
        .run(() => this.#writeTable(round, rollup, change, subject, sequence, identity), rowsOf(change));
    }
    await this.#removeStaged(round);
  }

  async #writeTable(
    round: RollupRound,
    rollup: RollupDefinition,
    change: RollupChange,
    subject: string,
    sequence: number,
    identity: string,
  ): Promise<void> {
    const { env, log, logger, writerEpoch } = this.#options;
    const started = performance.now();
    const table = await loadTable(env, identifierOf(rollup));
    if (positionOf(table, log.stream, subject) >= sequence) return;
    const snapshotChange = await this.#stage(table, rollup, change);
    const staged = await stageCommit(env, {
      table,
      changes: [{ ...snapshotChange, summary: { "firn.source-snapshot": round.sourceSnapshot } }],
      setProperties: {
        [positionProperty(log.stream, subject)]: String(sequence),
        [identityProperty(log.stream)]: identity,
        [sourceSnapshotProperty]: round.sourceSnapshot,
        [sourceTableProperty]: round.sourceTable,
        [writerEpochProperty]: writerEpoch,
      },
    });
    const result = await postCommit(env, staged);
    if (result.kind === "conflict")
      throw new LakeError("conflict", `${rollup.table.name}: another commit came first`, { context: {} });
    const durationMs = performance.now() - started;
    this.#options.hint(committedHint(rollup.table.namespace, rollup.table.name));
    const files = snapshotChange.addedData?.length ?? 0;
    logger.debug("committed", { table: rollup.table.name, files, durationMs: Math.round(durationMs) });
    this.#options.committed(result.table, files, durationMs);
  }

  async #stage(table: Table, rollup: RollupDefinition, change: RollupChange): Promise<SnapshotChange> {
    const { connection, env } = this.#options;
    if (change.upserts.length === 0 && change.deletes.length === 0) return { operation: "append", addedData: [] };
    const deletes = change.deletes.length > 0 ? { deleteKeysSql: await this.#rowsSql(change.deletes) } : {};
    const columns = rollup.table.columns.map((column) => `"${column.name}"`).join(", ");
    const empty = `SELECT ${columns} FROM (SELECT ${rollup.table.columns.map((column) => `NULL AS "${column.name}"`).join(", ")}) WHERE false`;
    const upsert = await stageUpsert(connection, {
      env,
      table,
      rowsSql: change.upserts.length > 0 ? await this.#rowsSql(change.upserts) : empty,
      ...deletes,
      keyColumns: rollup.table.identity,
      sort: rollup.table.sort,
    });
    const onlyNew = upsert.addedDeletes.length === 0 && upsert.removedData.length === 0;
    return { operation: onlyNew ? "append" : "overwrite", ...upsert };
  }

  async #rowsSql(staged: readonly StagedRows[]): Promise<string> {
    const { store } = this.#options.env;
    const paths = await Promise.all(staged.map((file) => store.localPath(file.location, file.bytes)));
    return `SELECT * FROM read_parquet(${sqlStringList(paths)})`;
  }

  /** Staged files have served; one that stays behind is an orphan that maintenance finds. */
  async #removeStaged(round: RollupRound): Promise<void> {
    const files = round.rollups.flatMap((change) => [...change.upserts, ...change.deletes]);
    await Promise.all(files.map((file) => this.#options.env.store.delete(file.location)));
  }
}

function positionOf(table: Table, stream: string, subject: string): number {
  return parsePositions(table.metadata.properties, stream).get(subject) ?? 0;
}

export function identifierOf(definition: {
  readonly table: { readonly namespace: string; readonly name: string };
}): TableIdentifier {
  return { namespace: definition.table.namespace.split("."), name: definition.table.name };
}

function rowsOf(change: RollupChange): number {
  return [...change.upserts, ...change.deletes].reduce((sum, file) => sum + file.rows, 0);
}
