import type { Metrics } from "@firn/service";
import type { CommitReport } from "./keyed-table.ts";

export interface WriterMetrics {
  committed(table: string, report: CommitReport, durationMs: number): void;
  rollupCommitted(table: string, filesAdded: number, durationMs: number): void;
  merged(table: string, filesBefore: number, filesAfter: number): void;
  expired(table: string, snapshots: number): void;
  orphansRemoved(table: string, files: number): void;
}

export function createWriterMetrics(metrics: Metrics): WriterMetrics {
  const labels = ["table"] as const;
  const commits = metrics.counter({ name: "writer_commits_total", help: "Commits, by table.", labels });
  const rows = metrics.counter({ name: "writer_rows_total", help: "Rows written, by table.", labels });
  const records = metrics.counter({
    name: "writer_records_total",
    help: "Records judged, by table and outcome (duplicate, corrected, deleted).",
    labels: ["table", "outcome"],
  });
  const files = metrics.counter({ name: "writer_files_total", help: "Data files written, by table.", labels });
  const seconds = metrics.histogram({
    name: "writer_commit_seconds",
    help: "Time from a batch that is due to its commit, by table.",
    labels,
  });
  return {
    committed(table, report, durationMs) {
      commits.inc({ table });
      rows.inc({ table }, report.rowsAdded);
      records.inc({ table, outcome: "duplicate" }, report.duplicates);
      records.inc({ table, outcome: "corrected" }, report.corrected);
      records.inc({ table, outcome: "deleted" }, report.deleted);
      files.inc({ table }, report.filesAdded);
      seconds.observe({ table }, durationMs / 1000);
    },
    rollupCommitted(table, filesAdded, durationMs) {
      commits.inc({ table });
      files.inc({ table }, filesAdded);
      seconds.observe({ table }, durationMs / 1000);
    },
    ...maintenanceMetrics(metrics),
  };
}

function maintenanceMetrics(metrics: Metrics): Pick<WriterMetrics, "merged" | "expired" | "orphansRemoved"> {
  const labels = ["table"] as const;
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
  const orphans = metrics.counter({
    name: "writer_orphan_files_total",
    help: "Files that nothing named and that were removed, by table.",
    labels,
  });
  return {
    merged(table, filesBefore) {
      merges.inc({ table }, filesBefore);
    },
    expired(table, snapshots) {
      expired.inc({ table }, snapshots);
    },
    orphansRemoved(table, files) {
      orphans.inc({ table }, files);
    },
  };
}
