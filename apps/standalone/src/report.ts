import type { DatasetCounts } from "@firn/client";

/** What the report calls a table (raw, errors, daily, …) to its rows; undefined where the catalog did not say. */
export type TableRows = ReadonlyMap<string, number | undefined>;

export interface LoadReport {
  readonly before: { readonly counts: DatasetCounts; readonly rows: TableRows };
  readonly after: { readonly counts: DatasetCounts; readonly rows: TableRows };
  readonly seconds: number;
}

const LABEL_WIDTH = 24;
const NUMBER_WIDTH = 14;

/** The small table at the end of a load: what this run did, and what the lake holds. */
export function formatReport({ before, after, seconds }: LoadReport): string {
  const count = (key: keyof DatasetCounts) =>
    line(LABELS[key], after.counts[key] - before.counts[key], after.counts[key]);
  const rows = [...after.rows].map(([label, now]) => {
    const then = before.rows.get(label);
    return line(`rows in ${label}`, now === undefined || then === undefined ? undefined : now - then, now);
  });
  const header = "".padEnd(LABEL_WIDTH) + "this run".padStart(NUMBER_WIDTH) + "in the lake".padStart(NUMBER_WIDTH);
  return [
    header,
    ...(["received", "stored", "duplicates", "corrected", "rejected"] as const).map(count),
    ...rows,
    `${"seconds".padEnd(LABEL_WIDTH)}${seconds.toFixed(1).padStart(NUMBER_WIDTH)}`,
  ].join("\n");
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

/** One line of what this run did to a lake, and what it holds. */
export function formatCounts(lake: string, before: DatasetCounts, after: DatasetCounts): string {
  return line(`stored in ${lake}`, after.stored - before.stored, after.stored);
}

/** Questions about the samples, to copy. */
export function sampleQuestions(queryUrl: string): readonly string[] {
  return [
    `curl -s '${queryUrl}/api/health/daily?user_id=1503960366&data_type=stepCount&last=7'`,
    `curl -s '${queryUrl}/api/health/weekly?user_id=2022484408&data_type=heartRate&year=2016'`,
    `curl -s '${queryUrl}/api/health/top?data_type=stepCount&period=daily&by=sum_value&limit=5'`,
    `curl -s '${queryUrl}/api/price/aggregate?tickers=AAPL,MSFT,SP500&start_date=2010-01-01'`,
  ];
}

/** Addresses of a running lake, one a line. */
export function formatAddresses(endpoints: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(endpoints)
    .filter(([name, value]) => name !== "pids" && typeof value === "string")
    .map(([name, value]) => `  ${name.padEnd(16)} ${String(value)}`);
  return lines.join("\n");
}
