import { isLakeError, type Table } from "@firn/lake";
import type { Metrics } from "@firn/service";
import { isStreamError } from "@firn/stream";
import { TableMoved, type CommitReport } from "./keyed-table.ts";
import { createTableGauges } from "./table-gauges.ts";

/** Seconds that the oldest message of each shard waits. */
type ShardLags = (nowMs: number) => ReadonlyMap<number, number>;

export interface WriterMetrics {
  /** From now on a table's lag is asked for at each scrape. @param seconds by shard */
  watchLag(table: string, seconds: ShardLags): void;
  committed(table: Table, report: CommitReport, durationMs: number): void;
  /** @param published rows of windows that were there before and were changed or taken away */
  rollupCommitted(table: Table, done: { filesAdded: number; published: number }, durationMs: number): void;
  /** A turn ended with a failure of the world and begins anew. @param stage table, or lane of rollups */
  setBack(stage: string, error: unknown): void;
  /** Another process writes the table from now on. */
  handedOver(table: string): void;
  /** Maintenance has looked at a table's files. */
  looked(table: string, smallFiles: number): void;
  merged(table: string, filesBefore: number, filesAfter: number): void;
  expired(table: string, snapshots: number): void;
  manifestsRewritten(table: string, manifests: number): void;
  orphansRemoved(table: string, files: number): void;
}

export function createWriterMetrics(metrics: Metrics): WriterMetrics {
  const { commits, rows, records, files, seconds, changes } = commitCounters(metrics);
  const setbacks = metrics.counter({
    name: "writer_setbacks_total",
    help: "Turns that began anew, by stage and kind: conflict (another commit came first), unknown_outcome, unavailable, …",
    labels: ["stage", "kind"],
  });
  const gauges = createTableGauges(metrics);
  const maintenance = maintenanceMetrics(metrics);
  const lags = lagGauge(metrics);
  return {
    watchLag: (table, seconds) => void lags.set(table, seconds),
    committed(committed, report, durationMs) {
      const table = committed.identifier.name;
      gauges.committed(committed);
      commits.inc({ table });
      rows.inc({ table }, report.rowsAdded);
      records.inc({ table, outcome: "duplicate" }, report.duplicates);
      records.inc({ table, outcome: "corrected" }, report.corrected);
      records.inc({ table, outcome: "deleted" }, report.deleted);
      files.inc({ table }, report.filesAdded);
      seconds.observe({ table }, durationMs / 1000);
    },
    rollupCommitted(committed, { filesAdded, published }, durationMs) {
      const table = committed.identifier.name;
      gauges.committed(committed);
      commits.inc({ table });
      files.inc({ table }, filesAdded);
      changes.inc({ table }, published);
      seconds.observe({ table }, durationMs / 1000);
    },
    handedOver(table) {
      lags.delete(table);
      gauges.handedOver(table);
      maintenance.forgotten(table);
    },
    setBack: (stage, error) => setbacks.inc({ stage, kind: kindOf(error) }),
    ...maintenance,
  };
}

function commitCounters(metrics: Metrics) {
  const labels = ["table"] as const;
  return {
    commits: metrics.counter({ name: "writer_commits_total", help: "Commits, by table.", labels }),
    rows: metrics.counter({ name: "writer_rows_total", help: "Rows written, by table.", labels }),
    records: metrics.counter({
      name: "writer_records_total",
      help: "Records judged, by table and outcome (duplicate, corrected, deleted).",
      labels: ["table", "outcome"] as const,
    }),
    files: metrics.counter({ name: "writer_files_total", help: "Data files written, by table.", labels }),
    seconds: metrics.histogram({ name: "writer_commit_seconds", help: "Time of a commit, by table.", labels }),
    changes: metrics.counter({
      name: "writer_published_changes_total",
      help: "Rows of published windows that were changed or taken away, by table of an aggregate.",
      labels,
    }),
  };
}

function lagGauge(metrics: Metrics): Map<string, ShardLags> {
  const lags = new Map<string, ShardLags>();
  metrics.gauge({
    name: "writer_lag_seconds",
    help: "How long the oldest message that was taken waits for its commit, by table and shard.",
    labels: ["table", "shard"],
    collect: (gauge) => {
      const nowMs = Date.now();
      gauge.reset();
      for (const [table, lag] of lags) for (const [shard, seconds] of lag(nowMs)) gauge.set({ table, shard }, seconds);
    },
  });
  return lags;
}

function kindOf(error: unknown): string {
  if (error instanceof TableMoved) return "conflict";
  return isLakeError(error) || isStreamError(error) ? error.kind : "other";
}

function maintenanceMetrics(metrics: Metrics) {
  const labels = ["table"] as const;
  const small = metrics.gauge({
    name: "writer_table_small_files",
    help: "Data files below 64 MiB when maintenance last looked, by table. One in each partition is as few as there can be.",
    labels,
  });
  const merges = metrics.counter({
    name: "writer_merged_files_total",
    help: "Small files that merging replaced, by table.",
    labels,
  });
  const expired = metrics.counter({
    name: "writer_expired_snapshots_total",
    help: "Snapshots expired, by table.",
    labels,
  });
  const manifests = metrics.counter({
    name: "writer_rewritten_manifests_total",
    help: "Manifests that were written anew in the order of partitions, by table.",
    labels,
  });
  const orphans = metrics.counter({
    name: "writer_orphan_files_total",
    help: "Files that nothing named and that were removed, by table.",
    labels,
  });
  return {
    looked: (table: string, smallFiles: number) => small.set({ table }, smallFiles),
    forgotten: (table: string) => small.remove({ table }),
    merged(table: string, filesBefore: number) {
      merges.inc({ table }, filesBefore);
    },
    expired(table: string, snapshots: number) {
      expired.inc({ table }, snapshots);
    },
    manifestsRewritten(table: string, count: number) {
      manifests.inc({ table }, count);
    },
    orphansRemoved(table: string, files: number) {
      orphans.inc({ table }, files);
    },
  };
}
