/**
 * Keeps tables small: merges small files and worn ones, rewrites manifests, expires snapshots. Every change goes through the table's own
 * commit queue, in pieces that hold it up for a fraction of a second, so maintenance and ingest never race.
 */
import type { Dataset, TableDefinition } from "@firn/core";
import { positionEntry, sourceSnapshotProperty } from "@firn/core";
import {
  currentFiles,
  currentSnapshot,
  currentStatistics,
  definedIdentifier,
  expireSnapshots,
  isLakeError,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  MERGE_POLICY,
  newestSummaryEntry,
  type MergePolicy,
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
import type { Logger, Stage } from "@firn/service";
import { setTimeout as sleep } from "node:timers/promises";
import { CommitQueue } from "./commit-queue.ts";
import { manifestsToRewrite, planManifestUpkeep } from "./manifest-upkeep.ts";
import { isTakenUp } from "./taken-up.ts";
import { type OrphanSearch, type OrphanUpkeep, orphanUpkeep } from "./orphan-upkeep.ts";
import type { MaintainOrder, TableUpkeep } from "./table-upkeep.ts";
import type { TableStage } from "./table-stage.ts";
import type { WriterMetrics } from "./writer-metrics.ts";

/** While rows arrive a merge is short; at rest it may take more at once. */
const busyRowsMax = 60_000;
const restRowsMax = 400_000;
/** A table at rest is merged down to about one file a partition when it has this many more. */
const spareFilesMax = 64;
const restMs = 6_000;
/** Merging down waits for the aggregates, which would share the machine with it, but not longer than this. */
const restLongestMs = 60_000;
const expireEveryMs = 30_000;
/** Of a table that never rests. */
const manifestsEveryMs = 10 * 60_000;
/** Listing a table's folder costs by the file. */
const orphansEveryMs = 24 * 3_600_000;
/** After the start, which has other things to do. */
const orphansFirstMs = 10 * 60_000;
const mergesPerLook = { busy: 2, rest: 20 };
/** Files cost more than rows: a merge of more would hold the queue up for seconds. */
const filesPerMerge = { busy: 120, rest: 400 };
const mergesAskedMax = 1_000;

export interface MaintenanceOptions {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly queueOf: (table: string) => CommitQueue;
  readonly orphans: OrphanSearch;
  readonly metrics: WriterMetrics;
}

interface Target {
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
  lastSnapshot?: bigint | undefined;
  lastChangeMs: number;
  lastExpiryMs: number;
  nextManifestsMs: number;
  nextOrphansMs: number;
}

export class Maintenance implements Stage {
  readonly #options: MaintenanceOptions;
  readonly #targets: Target[] = [];
  /** Merges share one connection: a look and a request take turns. */
  readonly #turns = new CommitQueue();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** Raw or dead letters; rounds of the aggregates build on raw's snapshots since the one that they name. */
  watchKeyed(definition: TableDefinition, stage: TableStage, aggregates: readonly TableDefinition[]): void {
    this.#targets.push({
      definition,
      queue: this.#options.queueOf(definition.name),
      current: () => Promise.resolve(stage.table?.table),
      moved: (table) => stage.table?.moveTo(table) ?? Promise.resolve(),
      builtOn: () => this.#sourceSnapshots(aggregates),
      lastChangeMs: 0,
      lastExpiryMs: 0,
      nextManifestsMs: performance.now() + manifestsEveryMs,
      nextOrphansMs: performance.now() + orphansFirstMs,
    });
  }

  watchRollups(dataset: Dataset): void {
    for (const { table: definition } of dataset.rollups)
      this.#targets.push({
        definition,
        queue: this.#options.queueOf(definition.name),
        current: () => loadTable(this.#options.env, definedIdentifier(definition)),
        moved: () => Promise.resolve(),
        builtOn: () => Promise.resolve([]),
        lastChangeMs: 0,
        lastExpiryMs: 0,
        nextManifestsMs: performance.now() + manifestsEveryMs,
        nextOrphansMs: performance.now() + orphansFirstMs,
      });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.intervalMs, undefined, { signal }).catch(() => undefined);
      for (const target of this.#targets) {
        if (signal.aborted) return;
        try {
          await this.#turns.run(() => this.#look(target, signal));
        } catch (error) {
          if (!isLakeError(error)) throw error;
          this.#options.logger.warn("maintenance put off", { table: target.definition.name, error: String(error) });
        }
      }
    }
  }

  /**
   * What there is to do in each table; with `run` it is done first, in the same short pieces as ever, down to about one
   * file a partition. Tables that the writer has not opened yet are left out.
   * @throws LakeError
   */
  async maintain(order: MaintainOrder): Promise<TableUpkeep[]> {
    const { orphans, run, statistics = false, table: only, limitMs = Infinity } = order;
    const reports: TableUpkeep[] = [];
    for (const target of this.#targets) {
      if (only !== undefined && only !== target.definition.name) continue;
      const done = run ? await this.#turns.run(() => this.#tidy(target, performance.now() + limitMs)) : {};
      const found = await target.current();
      if (!found) continue;
      const table = statistics && run ? await this.#turns.run(() => this.#countValues(found)) : found;
      const left = orphans ? await this.#removeOrphans(target, table, run) : {};
      reports.push({ ...(await this.#upkeepOf(target, table)), ...done, ...left });
    }
    return reports;
  }

  /** Beside the commits: nothing names these files. */
  async #removeOrphans(target: Target, table: Table, remove: boolean): Promise<OrphanUpkeep> {
    const upkeep = await orphanUpkeep(this.#options.orphans, table, remove);
    const { orphan_files: found, orphan_bytes: bytes, orphans_removed: removed } = upkeep;
    if (removed === undefined || found === 0) return upkeep;
    this.#options.logger.info("orphans removed", { table: target.definition.name, found, removed, bytes });
    this.#options.metrics.orphansRemoved(target.definition.name, removed);
    return upkeep;
  }

  async #tidy(target: Target, deadlineMs: number): Promise<Partial<TableUpkeep>> {
    const done = { files_merged: 0, files_written: 0, snapshots_expired: 0, manifests_rewritten: 0 };
    for (let merges = 0; merges < mergesAskedMax && performance.now() < deadlineMs; merges++) {
      const merged = await target.queue.run(() => this.#merge(target, "asked"), restRowsMax);
      if (!merged) break;
      done.files_merged += merged.before;
      done.files_written += merged.after;
    }
    if (performance.now() < deadlineMs)
      done.manifests_rewritten = await target.queue.run(() => this.#rewriteManifests(target, "asked"));
    done.snapshots_expired = await target.queue.run(() => this.#expire(target));
    return done;
  }

  /** Beside the commits: statistics are no snapshot, and whoever commits meanwhile need not know of them. */
  #countValues(table: Table): Promise<Table> {
    return writeTableStatistics(this.#options.env, this.#options.connection, table);
  }

  async #upkeepOf(target: Target, table: Table): Promise<TableUpkeep> {
    const { data, deletes } = await currentFiles(this.#options.env, table);
    const plan = planMerge(
      table.metadata,
      { data, deletes },
      { ...restPolicy, rowsMax: Number.MAX_SAFE_INTEGER, filesMax: Number.MAX_SAFE_INTEGER },
    );
    return {
      table: target.definition.name,
      rows: Number(currentSnapshot(table.metadata)?.summary?.["total-records"] ?? 0),
      data_files: data.length,
      delete_files: deletes.length,
      bytes: [...data, ...deletes].reduce((sum, file) => sum + file.fileSizeBytes, 0),
      files_to_merge: plan.groups.reduce((sum, group) => sum + group.tasks.length, 0),
      bytes_to_merge: plan.groups.reduce((sum, group) => sum + group.bytes, 0),
      snapshots: table.metadata.snapshots.length,
      snapshots_to_expire: (await this.#expirable(target, table)).length,
      statistics: currentStatistics(table.metadata)
        ? "current"
        : table.metadata.statistics.length > 0
          ? "older"
          : "none",
      manifests: manifestCount(table),
      manifests_to_rewrite: await manifestsToRewrite(this.#options.env, table),
    };
  }

  async #look(target: Target, signal: AbortSignal): Promise<void> {
    const table = await target.current();
    const snapshot = table && currentSnapshot(table.metadata);
    if (!table || !snapshot) return;
    const now = performance.now();
    if (target.lastSnapshot !== snapshot["snapshot-id"]) {
      target.lastSnapshot = snapshot["snapshot-id"];
      target.lastChangeMs = now;
    }
    const restedMs = now - target.lastChangeMs;
    const atRest = restedMs > restMs && (restedMs > restLongestMs || isTakenUp(table.metadata, await target.builtOn()));
    const mergesMax = atRest ? mergesPerLook.rest : mergesPerLook.busy;
    for (let merges = 0; merges < mergesMax && !signal.aborted; merges++)
      if (
        !(await target.queue.run(
          () => this.#merge(target, atRest ? "rest" : "busy"),
          atRest ? restRowsMax : busyRowsMax,
        ))
      )
        break;
    if (atRest || now > target.nextManifestsMs) {
      target.nextManifestsMs = now + manifestsEveryMs;
      await target.queue.run(() => this.#rewriteManifests(target, "rest"));
    }
    if (now - target.lastExpiryMs > expireEveryMs) {
      target.lastExpiryMs = now;
      await target.queue.run(() => this.#expire(target));
    }
    if (now > target.nextOrphansMs) {
      target.nextOrphansMs = now + orphansEveryMs;
      await this.#removeOrphans(target, table, true);
    }
  }

  /** One merge and how many files it replaced by how many; undefined when there is nothing worth merging. */
  async #merge(
    target: Target,
    when: "busy" | "rest" | "asked",
  ): Promise<{ before: number; after: number } | undefined> {
    const { connection, env, logger, metrics } = this.#options;
    const table = await target.current();
    if (!table) return undefined;
    const files = await currentFiles(env, table);
    metrics.looked(target.definition.name, smallFilesOf(files));
    const [rowsMax, filesMax] = when === "busy" ? [busyRowsMax, filesPerMerge.busy] : [restRowsMax, filesPerMerge.rest];
    let plan = planMerge(table.metadata, files, { ...MERGE_POLICY, rowsMax, filesMax });
    const spare = when === "rest" && files.data.length + files.deletes.length > spareFilesMax;
    if (plan.groups.length === 0 && (spare || when === "asked")) plan = planMerge(table.metadata, files, restPolicy);
    if (plan.groups.length === 0) return undefined;
    const change = await stageMerge(connection, { env, table, plan, sort: target.definition.sort });
    if (!change) return undefined;
    if (!(await this.#commit(target, table, change))) return undefined;
    const before = change.removedData?.length ?? 0;
    const after = change.addedData?.length ?? 0;
    logger.debug("merged", { table: target.definition.name, before, after });
    metrics.merged(target.definition.name, before, after);
    return { before, after };
  }

  /** Returns how many manifests were replaced. */
  async #rewriteManifests(target: Target, when: "rest" | "asked"): Promise<number> {
    const { env, logger, metrics } = this.#options;
    const table = await target.current();
    const upkeep = table && (await planManifestUpkeep(env, table, when));
    if (!upkeep || !(await this.#commit(target, table, upkeep.change))) return 0;
    logger.debug("manifests rewritten", { table: target.definition.name, manifests: upkeep.manifests });
    metrics.manifestsRewritten(target.definition.name, upkeep.manifests);
    return upkeep.manifests;
  }

  /** A commit that changes no row; false when another came first. */
  async #commit(target: Target, table: Table, change: SnapshotChange): Promise<boolean> {
    const { env } = this.#options;
    const own = newestSummaryEntry(table.metadata, positionEntry);
    const summary = own.kind === "found" ? { [positionEntry]: own.value } : {};
    const result = await postCommit(env, await stageCommit(env, { table, changes: [{ ...change, summary }] }));
    if (result.kind === "conflict") return false;
    await target.moved(result.table);
    target.lastSnapshot = currentSnapshot(result.table.metadata)?.["snapshot-id"];
    return true;
  }

  /** Returns how many snapshots went. */
  async #expire(target: Target): Promise<number> {
    const { env, metrics } = this.#options;
    const table = await target.current();
    const snapshots = table ? await this.#expirable(target, table) : [];
    if (!table || snapshots.length === 0) return 0;
    const after = await expireSnapshots(env, table, snapshots);
    if (after.kind === "conflict") return 0;
    await target.moved(after.table);
    metrics.expired(target.definition.name, snapshots.length);
    return snapshots.length;
  }

  /** Nothing expires that others still build on. */
  async #expirable(target: Target, table: Table): Promise<bigint[]> {
    const sequenceOf = (id: bigint) => snapshotById(table.metadata, id)?.["sequence-number"];
    const builtOn = (await target.builtOn()).filter((id) => id !== undefined);
    const kept = builtOn.map(sequenceOf).filter((sequence) => sequence !== undefined);
    const oldest = kept.length === 0 ? undefined : Math.min(...kept);
    return planExpiry(table.metadata, this.#options.env.clock.nowMs()).filter((id) => {
      const sequence = sequenceOf(id);
      return oldest === undefined || sequence === undefined || sequence < oldest;
    });
  }

  /** Snapshots of raw that its aggregates name: rounds of theirs go on from there. */
  async #sourceSnapshots(aggregates: readonly TableDefinition[]): Promise<(bigint | undefined)[]> {
    const tables = await Promise.all(
      aggregates.map((definition) => loadTable(this.#options.env, definedIdentifier(definition))),
    );
    return tables.map(({ metadata }) => {
      const source = metadata.properties[sourceSnapshotProperty];
      return source === undefined ? undefined : BigInt(source);
    });
  }
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

/** At rest: any two small files of a partition become one, and deletes are worked in. */
const restPolicy: MergePolicy = {
  ...MERGE_POLICY,
  fanIn: 2,
  deleteFilesMax: 0,
  deletedShareMax: 0.02,
  rowsMax: restRowsMax,
  filesMax: filesPerMerge.rest,
};
