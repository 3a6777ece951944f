import type { DatasetCounts } from "@firn/client";

/** What the report calls a table (raw, errors, daily, …) to its rows; undefined where the catalog did not say. */
export type TableRows = ReadonlyMap<string, number | undefined>;

/** What a lake holds. */
export interface LakeState {
  readonly counts: DatasetCounts;
  readonly rows: TableRows;
}

export interface LoadReport {
  readonly lake: string;
  readonly before: LakeState;
  readonly after: LakeState;
}

const LABEL_WIDTH = 24;
const NUMBER_WIDTH = 14;

/** The small table at the end of a load: what this run did to each lake, and what it holds. */
export function formatReport(lakes: readonly LoadReport[], seconds: number): string {
  const header = "".padEnd(LABEL_WIDTH) + "this run".padStart(NUMBER_WIDTH) + "in the lake".padStart(NUMBER_WIDTH);
  const tables = lakes.map((report) => [...(lakes.length > 1 ? ["", report.lake] : []), ...lakeLines(report)]);
  return [
    header,
    ...tables.flat(),
    `${"seconds".padEnd(LABEL_WIDTH)}${seconds.toFixed(1).padStart(NUMBER_WIDTH)}`,
  ].join("\n");
}

function lakeLines({ before, after }: LoadReport): string[] {
  const count = (key: keyof DatasetCounts) =>
    line(LABELS[key], after.counts[key] - before.counts[key], after.counts[key]);
  const rows = [...after.rows].map(([label, now]) => {
    const then = before.rows.get(label);
    return line(`rows in ${label}`, now === undefined || then === undefined ? undefined : now - then, now);
  });
  return [...(["received", "stored", "duplicates", "corrected", "rejected"] as const).map(count), ...rows];
}

const LABELS: Readonly<Record<keyof DatasetCounts, string>> = {
  received: "records in",
  stored: "stored in raw",
  duplicates: "duplicates",
  corrected: "corrections",
  rejected: "dead letters",
  deleted: "deletions",
};

/** Grouped by commas whatever the machine's language, so that the report reads the same everywhere. */
function line(label: string, run: number | undefined, total: number | undefined): string {
  const cell = (value: number | undefined) => (value?.toLocaleString("en-US") ?? "?").padStart(NUMBER_WIDTH);
  return label.padEnd(LABEL_WIDTH) + cell(run) + cell(total);
}

/** Questions about the samples, to copy. */
export function sampleQuestions(queryUrl: string, paths: readonly string[]): readonly string[] {
  return paths.map((path) => `curl -s '${queryUrl}${path}'`);
}

/** Addresses of a running lake, one a line. */
export function formatAddresses(endpoints: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(endpoints)
    .filter(([name, value]) => name !== "pids" && typeof value === "string")
    .map(([name, value]) => `  ${name.padEnd(16)} ${String(value)}`);
  return lines.join("\n");
}
