import { ALLOCATED_GB, PRICES } from "./prices.ts";

/** One line of the monthly bill, US dollars. */
export interface CostLine {
  readonly part: string;
  readonly item: string;
  readonly before: number;
  readonly after: number;
}

export interface Usage {
  /** Bytes of the Iceberg tables. */
  readonly tableBytes: number;
  /** Bytes that questions read in a month. */
  readonly scannedBytes: number;
}

const GB = 1e9;

/** The reference's monthly table: everything in PostgreSQL before, time series in Iceberg after. */
export function monthlyCost(
  { scannedBytes, tableBytes }: Usage,
  allocatedBeforeGb: number = ALLOCATED_GB.before,
): CostLine[] {
  const p = PRICES;
  const after = ALLOCATED_GB.after;
  return [
    { part: "PostgreSQL", item: "instance", before: p.databaseInstance, after: p.databaseInstance },
    {
      part: "PostgreSQL",
      item: "storage",
      before: allocatedBeforeGb * p.databaseStorageGb,
      after: after * p.databaseStorageGb,
    },
    {
      part: "PostgreSQL",
      item: "backup",
      before: allocatedBeforeGb * p.databaseBackupGb,
      after: after * p.databaseBackupGb,
    },
    { part: "PostgreSQL", item: "I/O", before: p.databaseIo, after: 0 },
    { part: "tables", item: "storage", before: 0, after: (tableBytes / GB) * p.objectStorageGb },
    { part: "tables", item: "requests", before: 0, after: p.objectRequests },
    { part: "tables", item: "transfer", before: 0, after: p.objectTransfer },
    { part: "catalog", item: "calls", before: 0, after: p.catalogCalls },
    { part: "queries", item: "scanned", before: 0, after: (scannedBytes / (1000 * GB)) * p.scannedTb },
    { part: "queries", item: "results", before: 0, after: p.queryResults },
    { part: "API server", item: "tasks", before: p.apiServer, after: p.apiServer },
    { part: "ingestion", item: "tasks", before: p.ingestionTasks, after: p.ingestionTasks },
  ];
}

export function totalOf(lines: readonly CostLine[]): { readonly before: number; readonly after: number } {
  return {
    before: lines.reduce((sum, line) => sum + line.before, 0),
    after: lines.reduce((sum, line) => sum + line.after, 0),
  };
}

export interface GrowthYear {
  readonly year: number;
  /** Gigabytes of time series as PostgreSQL holds them. */
  readonly gigabytes: number;
  readonly before: number;
  readonly after: number;
}

/** The sizes of the reference, Y0 to Y5; it leaves Y4 out, which lies between its neighbours by the same growth. */
const GROWTH_GB = [3.4, 5, 8, 15, Math.sqrt(15 * 40), 40] as const;
/** Room that PostgreSQL is given beside its data. */
const ALLOCATED_OVER_DATA = ALLOCATED_GB.before / GROWTH_GB[0];

/**
 * The monthly bill of each year: before, PostgreSQL is given room in the same proportion as today; after, tables and
 * scanned bytes grow with the data.
 * @param compression bytes of the Iceberg tables for a byte in PostgreSQL
 */
export function growth(usage: Usage, compression: number): GrowthYear[] {
  return GROWTH_GB.map((gigabytes, year) => {
    const scale = gigabytes / GROWTH_GB[0];
    const grown = { tableBytes: gigabytes * GB * compression, scannedBytes: usage.scannedBytes * scale };
    const { before, after } = totalOf(monthlyCost(grown, gigabytes * ALLOCATED_OVER_DATA));
    return { year, gigabytes, before, after };
  });
}
