/**
 * The upkeep of one table, piece by piece. What changes the table goes through its commit queue, in pieces that hold it up
 * for a fraction of a second, and changes no row.
 */
import { positionEntry, type TableDefinition } from "@firn/core";
import {
  currentFiles,
  currentSnapshot,
  currentStatistics,
  expireSnapshots,
  type KernelConnection,
  type LakeEnvironment,
  MERGE_POLICY,
  type MergePolicy,
  newestSummaryEntry,
  planExpiry,
  planMerge,
  postCommit,
  type SnapshotChange,
  snapshotById,
  type SnapshotFiles,
  stageCommit,
  stageMerge,
  type Table,
  writeTableStatistics,
} from "@firn/lake";
import type { Logger } from "@firn/service";
import { areAggregatesCurrent } from "./aggregates-current.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { manifestsToRewrite, planManifestUpkeep } from "./manifest-upkeep.ts";
import { type OrphanSearch, type OrphanUpkeep, orphanUpkeep } from "./orphan-upkeep.ts";
import type { TableUpkeep } from "./table-upkeep.ts";
import type { WriterMetrics } from "./writer-metrics.ts";

/** While rows arrive a merge is short; at rest it may take more at once. */
const busyRowsMax = 60_000;
const restRowsMax = 400_000;
/** Files cost more than rows: a merge of more would hold the queue up for seconds. */
const filesPerMerge = { busy: 120, rest: 400 };
/** Commits wait for a merge: while rows arrive it is of as few files as take about this long, as the last one shows. */
const busyMergeMs = 200;
const busyFiles = { first: 48, least: 24 };
/** A table at rest with more files than this is merged down to about one a partition. */
const filesAtRestMax = 64;

/** At rest: any two small files of a partition become one, and deletes are worked in. */
const restPolicy: MergePolicy = {
  ...MERGE_POLICY,
  fanIn: 2,
  deleteFilesMax: 0,
  deletedShareMax: 0.02,
  rowsMax: restRowsMax,
  filesMax: filesPerMerge.rest,
};

/** Of a look: `busy` while rows arrive, `rest` when they have not for a while. On a person's request: `asked`. */
export type UpkeepOccasion = "busy" | "rest" | "asked";

export interface UpkeepTools {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly logger: Logger;
  readonly orphans: OrphanSearch;
  readonly metrics: WriterMetrics;
}

export interface MaintainedTableParts {
  readonly definition: TableDefinition;
  readonly queue: CommitQueue;
  /** The table as the writer knows it; undefined: not opened yet. */
  current(): Promise<Table | undefined>;
  /** After a change that left the rows as they were. */
  moved(table: Table): Promise<void>;
  /**
   * Of each table that is made from this one the snapshot that it goes on from, undefined before it is first made. From
   * the oldest of them on all are kept.
   */
  builtOn(): Promise<readonly (bigint | undefined)[]>;
}

export class MaintainedTable {
  readonly #parts: MaintainedTableParts;
  readonly #tools: UpkeepTools;
  /** The newest snapshot that is known, and since when no other than upkeep's own has come. */
  #lastSnapshot: bigint | undefined;
  #lastChangeMs = 0;
  #busyFiles = busyFiles.first;

  constructor(parts: MaintainedTableParts, tools: UpkeepTools) {
    this.#parts = parts;
    this.#tools = tools;
  }

  get name(): string {
    return this.#parts.definition.name;
  }

  /** The table as the writer knows it; undefined: not opened yet. */
  current(): Promise<Table | undefined> {
    return this.#parts.current();
  }

  /** At a look: for how long its rows have stood still, as far as looks have seen. */
  restedMs({ metadata }: Table, nowMs: number): number {
    const snapshotId = currentSnapshot(metadata)?.["snapshot-id"];
    if (this.#lastSnapshot !== snapshotId) {
      this.#lastSnapshot = snapshotId;
      this.#lastChangeMs = nowMs;
    }
    return nowMs - this.#lastChangeMs;
  }

  /** Whether all that is made from the table has taken up the rows that it has now. */
  async areAggregatesCurrent({ metadata }: Table): Promise<boolean> {
    return areAggregatesCurrent(metadata, await this.#parts.builtOn());
  }

  /** One merge and how many files it replaced by how many; undefined when there is nothing worth merging. */
  merge(when: UpkeepOccasion): Promise<{ before: number; after: number } | undefined> {
    return this.#parts.queue.run(() => this.#merge(when));
  }

  /** Returns how many manifests were replaced. */
  rewriteManifests(when: "rest" | "asked"): Promise<number> {
    return this.#parts.queue.run(() => this.#rewriteManifests(when));
  }

  /** Returns how many snapshots went. */
  expire(): Promise<number> {
    return this.#parts.queue.run(() => this.#expire());
  }

  /** Beside the commits: nothing names these files. */
  async removeOrphans(table: Table, remove: boolean): Promise<OrphanUpkeep> {
    const { logger, metrics, orphans } = this.#tools;
    const upkeep = await orphanUpkeep(orphans, table, remove);
    const { orphan_files: found, orphan_bytes: bytes, orphans_removed: removed } = upkeep;
    if (removed === undefined || found === 0) return upkeep;
    logger.info("orphans removed", { table: this.name, found, removed, bytes });
    metrics.orphansRemoved(this.name, removed);
    return upkeep;
  }

  /** Beside the commits: statistics are no snapshot, and whoever commits meanwhile need not know of them. */
  countValues(table: Table): Promise<Table> {
    return writeTableStatistics(this.#tools.env, this.#tools.connection, table);
  }

  /** What the table is like, and what there is to do. */
  async upkeep(table: Table): Promise<TableUpkeep> {
    const { metadata } = table;
    const { data, deletes } = await currentFiles(this.#tools.env, table);
    const unbounded = { rowsMax: Number.MAX_SAFE_INTEGER, filesMax: Number.MAX_SAFE_INTEGER };
    const plan = planMerge(metadata, { data, deletes }, { ...restPolicy, ...unbounded });
    return {
      table: this.name,
      rows: Number(currentSnapshot(metadata)?.summary?.["total-records"] ?? 0),
      data_files: data.length,
      delete_files: deletes.length,
      bytes: [...data, ...deletes].reduce((sum, file) => sum + file.fileSizeBytes, 0),
      files_to_merge: plan.groups.reduce((sum, group) => sum + group.tasks.length, 0),
      bytes_to_merge: plan.groups.reduce((sum, group) => sum + group.bytes, 0),
      snapshots: metadata.snapshots.length,
      snapshots_to_expire: (await this.#expirable(table)).length,
      statistics: currentStatistics(metadata) ? "current" : metadata.statistics.length > 0 ? "older" : "none",
      manifests: manifestCount(table),
      manifests_to_rewrite: await manifestsToRewrite(this.#tools.env, table),
    };
  }

  async #merge(when: UpkeepOccasion): Promise<{ before: number; after: number } | undefined> {
    const { connection, env, logger, metrics } = this.#tools;
    const table = await this.current();
    if (!table) return undefined;
    const files = await currentFiles(env, table);
    metrics.looked(this.name, smallFilesOf(files));
    const [rowsMax, filesMax] = when === "busy" ? [busyRowsMax, this.#busyFiles] : [restRowsMax, filesPerMerge.rest];
    let plan = planMerge(table.metadata, files, { ...MERGE_POLICY, rowsMax, filesMax });
    const isMany = when === "rest" && files.data.length + files.deletes.length > filesAtRestMax;
    if (plan.groups.length === 0 && (isMany || when === "asked")) plan = planMerge(table.metadata, files, restPolicy);
    if (plan.groups.length === 0) return undefined;
    const rows = plan.groups.reduce((sum, group) => sum + group.rows, 0);
    const started = performance.now();
    const change = await this.#parts.queue.withRows(rows, () =>
      stageMerge(connection, { env, table, plan, sort: this.#parts.definition.sort }),
    );
    if (!change || !(await this.#commit(table, change))) return undefined;
    const before = change.removedData?.length ?? 0;
    if (when === "busy") this.#busyFiles = filesToTake(before, performance.now() - started);
    const after = change.addedData?.length ?? 0;
    logger.debug("merged", { table: this.name, before, after });
    metrics.merged(this.name, before, after);
    return { before, after };
  }

  async #rewriteManifests(when: "rest" | "asked"): Promise<number> {
    const { env, logger, metrics } = this.#tools;
    const table = await this.current();
    const upkeep = table && (await planManifestUpkeep(env, table, when));
    if (!upkeep || !(await this.#commit(table, upkeep.change))) return 0;
    logger.debug("manifests rewritten", { table: this.name, manifests: upkeep.manifests });
    metrics.manifestsRewritten(this.name, upkeep.manifests);
    return upkeep.manifests;
  }

  /** A commit that changes no row; false when another came first. */
  async #commit(table: Table, change: SnapshotChange): Promise<boolean> {
    const { env } = this.#tools;
    const own = newestSummaryEntry(table.metadata, positionEntry);
    const summary = own.kind === "found" ? { [positionEntry]: own.value } : {};
    const result = await postCommit(env, await stageCommit(env, { table, changes: [{ ...change, summary }] }));
    if (result.kind === "conflict") return false;
    await this.#parts.moved(result.table);
    this.#lastSnapshot = currentSnapshot(result.table.metadata)?.["snapshot-id"];
    return true;
  }

  async #expire(): Promise<number> {
    const table = await this.current();
    const snapshots = table ? await this.#expirable(table) : [];
    if (!table || snapshots.length === 0) return 0;
    const after = await expireSnapshots(this.#tools.env, table, snapshots);
    if (after.kind === "conflict") return 0;
    await this.#parts.moved(after.table);
    this.#tools.metrics.expired(this.name, snapshots.length);
    return snapshots.length;
  }

  /** Nothing expires that others still build on. */
  async #expirable({ metadata }: Table): Promise<bigint[]> {
    const sequenceOf = (id: bigint) => snapshotById(metadata, id)?.["sequence-number"];
    const builtOn = (await this.#parts.builtOn()).filter((id) => id !== undefined);
    const kept = builtOn.map(sequenceOf).filter((sequence) => sequence !== undefined);
    const oldest = kept.length === 0 ? undefined : Math.min(...kept);
    return planExpiry(metadata, this.#tools.env.clock.nowMs()).filter((id) => {
      const sequence = sequenceOf(id);
      return oldest === undefined || sequence === undefined || sequence < oldest;
    });
  }
}

/** Files of the next merge between commits, by how long the last one took. */
function filesToTake(files: number, tookMs: number): number {
  return Math.round(Math.min(filesPerMerge.busy, Math.max(busyFiles.least, (files * busyMergeMs) / tookMs)));
}

/** As the snapshot's summary has it; 0 where it has not. */
function manifestCount({ metadata }: Table): number {
  const summary = currentSnapshot(metadata)?.summary;
  return Number(summary?.["manifests-created"] ?? 0) + Number(summary?.["manifests-kept"] ?? 0);
}

/** Data files of less than half the size that merging aims at. */
function smallFilesOf({ data }: SnapshotFiles): number {
  return data.filter((file) => file.fileSizeBytes < MERGE_POLICY.targetBytes / 2).length;
}
