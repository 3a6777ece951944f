/**
 * Keeps tables small: merges small files and worn ones, rewrites manifests, expires snapshots, removes orphans. This is
 * when; `maintained-table.ts` is how.
 */
import { type Dataset, sourceSnapshotProperty, type TableDefinition } from "@firn/core";
import { currentSnapshot, definedIdentifier, isLakeError, loadTable } from "@firn/lake";
import type { Stage } from "@firn/service";
import { setTimeout as sleep } from "node:timers/promises";
import { CommitQueue } from "./commit-queue.ts";
import { MaintainedTable, type MaintainedTableParts, type UpkeepTools } from "./maintained-table.ts";
import type { TableStage } from "./table-stage.ts";
import type { MaintainOrder, TableUpkeep } from "./table-upkeep.ts";

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
const mergesPerLook = { busy: 8, rest: 20 };
const mergesAskedMax = 1_000;

export interface MaintenanceOptions extends UpkeepTools {
  readonly intervalMs: number;
  readonly queueOf: (table: string) => CommitQueue;
}

/** A table, and when what is not done at each look is due. */
interface Target {
  readonly table: MaintainedTable;
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
    this.#watch({
      definition,
      queue: this.#options.queueOf(definition.name),
      current: () => Promise.resolve(stage.table?.table),
      moved: (table) => stage.table?.moveTo(table) ?? Promise.resolve(),
      builtOn: () => this.#sourceSnapshots(aggregates),
    });
  }

  watchRollups(dataset: Dataset): void {
    for (const { table: definition } of dataset.rollups)
      this.#watch({
        definition,
        queue: this.#options.queueOf(definition.name),
        current: () => loadTable(this.#options.env, definedIdentifier(definition)),
        moved: () => Promise.resolve(),
        builtOn: () => Promise.resolve([]),
      });
  }

  #watch(parts: MaintainedTableParts): void {
    const nowMs = performance.now();
    this.#targets.push({
      table: new MaintainedTable(parts, this.#options),
      lastExpiryMs: 0,
      nextManifestsMs: nowMs + manifestsEveryMs,
      nextOrphansMs: nowMs + orphansFirstMs,
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
          this.#options.logger.warn("maintenance put off", { table: target.table.name, error: String(error) });
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
    for (const { table } of this.#targets) {
      if (only !== undefined && only !== table.name) continue;
      const done = run ? await this.#turns.run(() => tidy(table, performance.now() + limitMs)) : {};
      const found = await table.current();
      if (!found) continue;
      const counted = statistics && run ? await this.#turns.run(() => table.countValues(found)) : found;
      const left = orphans ? await table.removeOrphans(counted, run) : {};
      reports.push({ ...(await table.upkeep(counted)), ...done, ...left });
    }
    return reports;
  }

  async #look(target: Target, signal: AbortSignal): Promise<void> {
    const { table } = target;
    const found = await table.current();
    if (!found || !currentSnapshot(found.metadata)) return;
    const nowMs = performance.now();
    const restedMs = table.restedMs(found, nowMs);
    const atRest = restedMs > restMs && (restedMs > restLongestMs || (await table.areAggregatesCurrent(found)));
    const when = atRest ? "rest" : "busy";
    for (let merges = 0; merges < mergesPerLook[when] && !signal.aborted; merges++)
      if (!(await table.merge(when))) break;
    if (atRest || nowMs > target.nextManifestsMs) {
      target.nextManifestsMs = nowMs + manifestsEveryMs;
      await table.rewriteManifests("rest");
    }
    if (nowMs - target.lastExpiryMs > expireEveryMs) {
      target.lastExpiryMs = nowMs;
      await table.expire();
    }
    if (nowMs > target.nextOrphansMs) {
      target.nextOrphansMs = nowMs + orphansEveryMs;
      await table.removeOrphans(found, true);
    }
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

/** All that there is to do, until the deadline. */
async function tidy(table: MaintainedTable, deadlineMs: number): Promise<Partial<TableUpkeep>> {
  const done = { files_merged: 0, files_written: 0, snapshots_expired: 0, manifests_rewritten: 0 };
  for (let merges = 0; merges < mergesAskedMax && performance.now() < deadlineMs; merges++) {
    const merged = await table.merge("asked");
    if (!merged) break;
    done.files_merged += merged.before;
    done.files_written += merged.after;
  }
  if (performance.now() < deadlineMs) done.manifests_rewritten = await table.rewriteManifests("asked");
  done.snapshots_expired = await table.expire();
  return done;
}
