/**
 * A table of identified rows (raw, dead letters): takes batches, writes each identity once, keeps the key index.
 *
 * Every commit carries the stream position that it covers, the counts and the rows together; the index follows after.
 * A conflict or a doubt about the table's state throws `TableMoved`: whoever drives the table opens it again and reads
 * the stream from the position that the table then names.
 */
import {
  countProperty,
  type CountName,
  type Counts,
  identitiesProperty,
  identityProperty,
  type NeighbourColumn,
  parseCounts,
  parsePositions,
  positionEntry,
  positionProperty,
  receivedProperty,
  STATE_VERSION,
  stateVersionProperty,
  traceEntry,
  writerEpochProperty,
} from "@firn/core";
import {
  currentSnapshot,
  type DataFile,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  postCommit,
  type SnapshotChange,
  sqlName,
  stageCommit,
  stageRows,
  stageUpsert,
  type Table,
  type TableIdentifier,
} from "@firn/lake";
import { type BatchActions, storeActions, storeRows } from "./batch-actions.ts";
import type { Batch } from "./batch.ts";
import { candidatePredicate } from "./candidates.ts";
import type { LocalDateRule } from "./foreign/local-dates.ts";
import { isTakenUp, takeUpForeign } from "./foreign/take-up.ts";
import { catchUpIndex } from "./index-catch-up.ts";
import type { PreparedChange } from "./key-index/index-change.ts";
import type { KeyIndex } from "./key-index/key-index.ts";
import type { KeyShape } from "./keyed-rows.ts";
import { assertNeighbourColumn, deriveFromNeighbours } from "./neighbour-column.ts";
import { partitionNameSql } from "./partition-name.ts";
import { type BatchKeys, type Resolution, resolveBatch, RowAction } from "./resolve.ts";
import { sliceBatch } from "./slices.ts";

/** The table is no longer what the batch was planned on. */
export class TableMoved extends Error {
  override readonly name = "TableMoved";
}

export interface KeyedTableOptions extends KeyShape {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly index: KeyIndex;
  readonly identifier: TableIdentifier;
  /** A column that is computed here, from neighbouring rows. */
  readonly derived?: NeighbourColumn;
  /** Of a table of records: rows of other engines are taken up, with local dates by this rule where there is one. */
  readonly takeUp?: { readonly localDates?: LocalDateRule };
  readonly stream: string;
  /** Every subject of the stream whose messages go into this table. */
  readonly subjects: readonly string[];
  readonly writerEpoch: string;
  /** Outcome that a new row counts as: `stored`, for dead letters `rejected`. */
  readonly newRowsCountAs: Extract<CountName, "stored" | "rejected">;
}

/** A batch's records as they were judged, without their keys. */
interface JudgedBatch extends Omit<Resolution, "changed"> {
  readonly places: Pick<BatchKeys, "rows" | "partition">;
  readonly indexChange: PreparedChange;
}

export interface CommitReport {
  readonly snapshotId: bigint;
  readonly rowsAdded: number;
  readonly corrected: number;
  readonly duplicates: number;
  readonly deleted: number;
  readonly filesAdded: number;
}

export class KeyedTable {
  readonly #options: KeyedTableOptions;
  #table: Table;

  private constructor(options: KeyedTableOptions, table: Table) {
    this.#options = options;
    this.#table = table;
  }

  /**
   * Loads the table, takes up what others have committed, and brings the key index to its snapshot.
   * @throws TableMoved when another commit came first
   */
  static async open(options: KeyedTableOptions): Promise<KeyedTable> {
    const { connection, derived, env, identifier, index, takeUp } = options;
    if (derived) assertNeighbourColumn(options.definition, derived);
    let table = await loadTable(env, identifier);
    if (takeUp && !isTakenUp(table)) {
      const position = positionOf(table, options);
      const after = await takeUpForeign({ ...options, ...takeUp, position }, table);
      if (after === undefined) throw new TableMoved(`${identifier.name}: another commit came first`);
      table = after;
    }
    await catchUpIndex(env, connection, table, options, index, currentSnapshot(table.metadata));
    return new KeyedTable(options, table);
  }

  get table(): Table {
    return this.#table;
  }

  /** What the table holds of the stream: everything of the subjects up to and including this sequence. */
  position(): number {
    return positionOf(this.#table, this.#options);
  }

  /** Identity of the stream that the position belongs to; undefined before the first commit. */
  streamIdentity(): string | undefined {
    return this.#table.metadata.properties[identityProperty(this.#options.stream)];
  }

  counts(): Counts {
    return parseCounts(this.#table.metadata.properties);
  }

  /** Another change of the table by this process that left its rows as they were: later commits build on it. */
  async moveTo(table: Table): Promise<void> {
    this.#table = table;
    const state = this.#options.index.state();
    const snapshot = currentSnapshot(table.metadata);
    if (state && snapshot)
      await this.#options.index.apply(undefined, {
        tableUuid: state.tableUuid,
        snapshotId: String(snapshot["snapshot-id"]),
      });
  }

  /**
   * Judges a loaded batch, commits it and its position, and brings the index along.
   * @param traceparent of the commit, for whoever follows from its snapshot
   * @throws TableMoved when another commit came first
   */
  async commit(batch: Batch, streamIdentity: string, traceparent?: string): Promise<CommitReport> {
    const { index } = this.#options;
    const judged = await this.#judge(batch);
    const { added, snapshotId } = await this.#post(batch, judged, streamIdentity, traceparent).catch(
      (error: unknown) => {
        index.discard(judged.indexChange);
        throw error;
      },
    );
    const tableUuid = this.#table.metadata["table-uuid"];
    await index.apply(judged.indexChange, { tableUuid, snapshotId: String(snapshotId) });
    const { corrected, deleted, duplicates } = judged.outcomes;
    const rowsAdded = added.reduce((sum, file) => sum + file.recordCount, 0);
    return { snapshotId, rowsAdded, corrected, duplicates, deleted, filesAdded: added.length };
  }

  /** Judges every record, and lets go of the keys: of a large batch they are as much memory as writing a part of it. */
  async #judge(batch: Batch): Promise<JudgedBatch> {
    const { index } = this.#options;
    const keys = await batch.load();
    const { changed, ...judged } = resolveBatch(keys, (rows) => index.lookUp(keys, rows));
    const removes = (row: number) => judged.actions[row] === RowAction.remove;
    const indexChange = index.prepare({ keys, rows: changed, inKeyOrder: true, removes });
    return { ...judged, places: { rows: keys.rows, partition: keys.partition }, indexChange };
  }

  /** Stages what was judged and commits it; the table is then as it was committed. */
  async #post(
    batch: Batch,
    judged: JudgedBatch,
    streamIdentity: string,
    traceparent: string | undefined,
  ): Promise<{ snapshotId: bigint; added: DataFile[] }> {
    const { env, identifier } = this.#options;
    const changes = await this.#stage(batch, judged, traceparent);
    const setProperties = this.#properties(batch, judged, streamIdentity);
    const staged = await stageCommit(env, { table: this.#table, changes, setProperties });
    const result = await postCommit(env, staged);
    if (result.kind === "conflict") throw new TableMoved(`${identifier.name}: another commit came first`);
    this.#table = result.table;
    const snapshot = currentSnapshot(result.table.metadata);
    if (!snapshot) throw new TableMoved(`${identifier.name}: the commit left no snapshot`);
    return { snapshotId: snapshot["snapshot-id"], added: changes.flatMap((change) => change.addedData ?? []) };
  }

  /** New rows as an `append`, corrections and deletions as an `overwrite`; an empty `append` when there are neither. */
  async #stage(batch: Batch, judged: JudgedBatch, traceparent: string | undefined): Promise<SnapshotChange[]> {
    const { connection, definition, derived, env, index } = this.#options;
    const summary = {
      "firn.duplicates": String(judged.outcomes.duplicates),
      "firn.corrected": String(judged.outcomes.corrected),
      [positionEntry]: String(batch.lastSequence),
      ...(traceparent !== undefined && { [traceEntry]: traceparent }),
    };
    const rows = await storeActions(connection, judged.actions);
    const touched = new Set(judged.touchedPartitions);
    if (derived) for (const ordinal of await this.#derive(batch, derived, rows)) touched.add(ordinal);
    const changes: SnapshotChange[] = [];
    const appends = judged.actions.includes(RowAction.append);
    if (appends || touched.size === 0) {
      const addedData: DataFile[] = [];
      for (const slice of appends ? sliceBatch(definition, index, judged.places, judged.actions) : []) {
        if ("rows" in slice) await storeRows(connection, rows.slice, slice.rows);
        const chosen = "rows" in slice ? `__row IN (SELECT row FROM ${rows.slice})` : slice.condition;
        // Cheap to evaluate again: a filter over the batch, which is kept anyway.
        const relationSql = batch.relationSql(`${chosen} AND __row NOT IN (SELECT row FROM ${rows.notNew})`);
        const options = { env, table: this.#table, relationSql, evaluateAgain: true, sort: definition.sort };
        addedData.push(...(await stageRows(connection, options)));
      }
      changes.push({ operation: "append", addedData, summary });
    }
    if (touched.size > 0) {
      const identity = this.#options.identity.map((name) => sqlName(name)).join(", ");
      const upsert = await stageUpsert(connection, {
        env,
        table: this.#table,
        rowsSql: batch.relationSql(`__row IN (SELECT row FROM ${rows.replaced})`),
        deleteKeysSql: `SELECT ${identity} FROM (${batch.relationSql(`__row IN (SELECT row FROM ${rows.removed})`)})`,
        keyColumns: this.#options.identity,
        copyOnWriteRows,
        candidates: candidatePredicate(definition, this.#options.index, touched),
      });
      changes.push({ operation: "overwrite", ...upsert, summary });
    }
    return changes;
  }

  /** Computes the column that depends on neighbours; answers the partitions of stored rows that change by it. */
  async #derive(batch: Batch, derived: NeighbourColumn, actions: BatchActions): Promise<number[]> {
    const { connection, definition, env, index } = this.#options;
    const table = await batch.asTable();
    const input = { env, table: this.#table, definition, derived, batch: table, actions };
    const { added, firstAdded } = await deriveFromNeighbours(connection, input);
    if (added === 0) return [];
    const places = await connection.rows<{ place: string }>(
      `SELECT DISTINCT ${partitionNameSql(definition)} AS place FROM ${table} WHERE rowid >= ${firstAdded}`,
    );
    return places.map(({ place }) => index.partitionOrdinal(place));
  }

  /** Undefined for a table that was there before identities were counted. */
  #identitiesAfter({ actions }: JudgedBatch): number | undefined {
    const { metadata } = this.#table;
    const counted = metadata.properties[identitiesProperty];
    if (counted === undefined && currentSnapshot(metadata) !== undefined) return undefined;
    let identities = Number(counted ?? 0);
    for (const action of actions) {
      if (action === RowAction.append) identities++;
      else if (action === RowAction.remove) identities--;
    }
    return identities;
  }

  #properties(batch: Batch, judged: JudgedBatch, streamIdentity: string): Record<string, string> {
    const { newRowsCountAs, stream, subjects, writerEpoch } = this.#options;
    const counts = this.counts();
    const { stored, corrected, duplicates, deleted } = judged.outcomes;
    counts[newRowsCountAs] += stored;
    counts.corrected += corrected;
    counts.duplicates += duplicates;
    counts.deleted += deleted;
    const properties: Record<string, string> = {
      [identityProperty(stream)]: streamIdentity,
      [writerEpochProperty]: writerEpoch,
      [stateVersionProperty]: String(STATE_VERSION),
    };
    for (const subject of subjects) properties[positionProperty(stream, subject)] = String(batch.lastSequence);
    for (const [name, value] of Object.entries(counts)) properties[countProperty(name as CountName)] = String(value);
    const identities = this.#identitiesAfter(judged);
    if (identities !== undefined) properties[identitiesProperty] = String(identities);
    for (const [shard, records] of batch.received) properties[receivedProperty(shard)] = String(records);
    return properties;
  }
}

function positionOf({ metadata }: Table, { stream, subjects }: Pick<KeyedTableOptions, "stream" | "subjects">): number {
  const positions = parsePositions(metadata.properties, stream);
  return Math.min(...subjects.map((subject) => positions.get(subject) ?? 0));
}

/** Corrections come to few rows of many files: only small ones are written anew, others get position deletes. */
const copyOnWriteRows = 300;
