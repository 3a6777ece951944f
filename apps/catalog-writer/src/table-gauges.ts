import { currentSnapshot, type Table } from "@firn/lake";
import type { Metrics } from "@firn/service";

export interface TableGauges {
  /** Tells a table's state as its last commit left it. */
  committed(table: Table): void;
  /** Another process writes the table from now on, and tells. */
  handedOver(table: string): void;
}

/** What a table holds by its snapshot's summary, and how much its commits added. */
export function createTableGauges(metrics: Metrics): TableGauges {
  const labels = ["table"] as const;
  const bytes = metrics.counter({
    name: "writer_bytes_total",
    help: "Bytes of data files and deletes written by commits, by table.",
    labels,
  });
  const lastCommit = metrics.gauge({
    name: "writer_last_commit_timestamp_seconds",
    help: "When a table's newest snapshot was made, seconds since the epoch.",
    labels,
  });
  const held = (name: string, help: string) => metrics.gauge({ name: `writer_table_${name}`, help, labels });
  const entries = [
    ["total-data-files", held("data_files", "Data files of a table's newest snapshot; many small ones want merging.")],
    ["total-delete-files", held("delete_files", "Files of deletes of a table's newest snapshot.")],
    ["total-files-size", held("bytes", "Bytes of all files of a table's newest snapshot.")],
    ["total-records", held("records", "Rows in data files of a table's newest snapshot, deleted ones among them.")],
  ] as const;
  return {
    committed({ identifier: { name: table }, metadata }) {
      const snapshot = currentSnapshot(metadata);
      if (snapshot === undefined) return;
      const summary: Readonly<Record<string, string>> = snapshot.summary ?? {};
      bytes.inc({ table }, Number(summary["added-files-size"] ?? 0));
      lastCommit.set({ table }, Number(snapshot["timestamp-ms"]) / 1000);
      for (const [entry, gauge] of entries) {
        if (summary[entry] !== undefined) gauge.set({ table }, Number(summary[entry]));
      }
    },
    handedOver(table) {
      for (const gauge of [lastCommit, ...entries.map((entry) => entry[1])]) gauge.remove({ table });
    },
  };
}
