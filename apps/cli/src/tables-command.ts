import { currentSnapshot, loadTable, type TableMetadata } from "@firn/lake";
import { Command } from "commander";

import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { openLake } from "./lake-tables.ts";
import { tablesInitCommand } from "./tables-init-command.ts";
import { formatBytes, formatTable } from "./text-table.ts";

const HELP = `
Rows are those of the current snapshot, deleted ones not counted. Every table of the catalog is
listed, also those of other programs.

Examples
  firn tables
  firn tables --json | jq '.[] | select(.name == "health_db.health_data_raw") | .snapshot_id'

Exit codes: 0 done, 2 wrong usage, 3 the catalog does not answer.`;

export function tablesCommand(): Command {
  const command = new Command("tables")
    .summary("the Iceberg tables and what they hold")
    .description("Lists every table of the catalog with its rows, files, bytes and newest snapshot.")
    .addHelpText("after", HELP)
    .addCommand(tablesInitCommand());
  return withLakeOptions(command).action((options: LakeOptions) => runCommand(options, () => tables(options)));
}

interface TableLine {
  readonly name: string;
  readonly rows: number;
  readonly data_files: number;
  readonly delete_files: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly snapshot_id: string | null;
  readonly committed: string | null;
  readonly location: string;
}

async function tables(options: LakeOptions): Promise<CommandResult> {
  const env = await openLake(findLake(options));
  const lines: TableLine[] = [];
  for (const namespace of await env.catalog.listNamespaces()) {
    for (const identifier of await env.catalog.listTables(namespace)) {
      const { metadata } = await loadTable(env, identifier);
      lines.push(tableLine(`${identifier.namespace.join(".")}.${identifier.name}`, metadata));
    }
  }
  const header = ["table", "rows", "data files", "delete files", "size", "snapshots", "last commit"];
  const rows = lines.map((line) => [
    line.name,
    line.rows,
    line.data_files,
    line.delete_files,
    formatBytes(line.bytes),
    line.snapshots,
    line.committed ?? "none",
  ]);
  return { exitCode: EXIT.done, json: lines, text: formatTable(header, rows) };
}

export function tableLine(name: string, metadata: TableMetadata): TableLine {
  const snapshot = currentSnapshot(metadata);
  const total = (key: string) => Number(snapshot?.summary?.[key] ?? 0);
  return {
    name,
    rows: total("total-records") - total("total-position-deletes"),
    data_files: total("total-data-files"),
    delete_files: total("total-delete-files"),
    bytes: total("total-files-size"),
    snapshots: metadata.snapshots.length,
    snapshot_id: snapshot === undefined ? null : String(snapshot["snapshot-id"]),
    committed: snapshot === undefined ? null : new Date(snapshot["timestamp-ms"]).toISOString(),
    location: metadata.location,
  };
}
