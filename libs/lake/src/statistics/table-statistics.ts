import { commitMetadata } from "../commit/commit-metadata.ts";
import type { LakeEnvironment } from "../commit/environment.ts";
import type { Table } from "../commit/table.ts";
import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import { encodeSingleValue } from "../manifest/single-value.ts";
import { isNested, type PrimitiveType, type StructField } from "../metadata/schema.ts";
import type { Snapshot } from "../metadata/snapshot.ts";
import { currentSnapshot, type StatisticsFile, type TableMetadata } from "../metadata/table-metadata.ts";
import { planScan } from "../scan/plan-scan.ts";
import type { ScanPlan, ScanTask } from "../scan/scan-plan.ts";
import { scanSql } from "../scan/scan-sql.ts";
import { joinLocation } from "../store/location.ts";
import { checksummedName, checksumOf } from "../store/named-checksum.ts";
import { puffinFile, type PuffinBlob } from "./puffin-file.ts";
import { ThetaSketch } from "./theta-sketch.ts";

/** Blob type of the Puffin specification. */
const THETA_BLOB = "apache-datasketches-theta-v1";
/** Rows whose distinct values the kernel holds at the same time. */
const ROWS_TOGETHER = 500_000;

/** The statistics that the table has of its newest snapshot, if it has. */
export function currentStatistics(metadata: TableMetadata): StatisticsFile | undefined {
  const id = currentSnapshot(metadata)?.["snapshot-id"];
  return metadata.statistics.find((file) => file["snapshot-id"] === id);
}

/**
 * Counts the different values of each column of the current snapshot, and adds them to the table as a statistics file
 * (specification, "Table Statistics"): a Puffin file with a Theta sketch and its estimate (`ndv`) for each column of a
 * plain type, which the optimisers of Trino and Spark look for. Reads the whole table, some columns at a time; commits
 * no snapshot. Nothing is done for a table without snapshots.
 */
export async function writeTableStatistics(
  env: LakeEnvironment,
  connection: KernelConnection,
  table: Table,
): Promise<Table> {
  const snapshot = currentSnapshot(table.metadata);
  if (snapshot === undefined) return table;
  const plan = await planScan({ env, table });
  const blobs: PuffinBlob[] = [];
  for (const column of plan.schema.fields) {
    const sql = valueSql(column);
    if (sql !== undefined) blobs.push(blobOf(await sketchColumn(env, connection, plan, column, sql), column, snapshot));
  }
  const file = await putStatistics(env, table, snapshot, blobs);
  const has = ({ statistics, snapshots }: TableMetadata): boolean =>
    statistics.some((one) => one["statistics-path"] === file["statistics-path"]) ||
    !snapshots.some((one) => one["snapshot-id"] === snapshot["snapshot-id"]);
  return commitMetadata(env, table, (metadata) => ({
    requirements: [],
    updates: has(metadata) ? [] : [{ action: "set-statistics", statistics: file }],
    isApplied: has,
  }));
}

/** The column in the domain of single values; undefined for types whose values are not counted. */
function valueSql({ name, type }: StructField): string | undefined {
  const column = sqlName(name);
  if (isNested(type)) return undefined;
  switch (type) {
    case "boolean":
    case "int":
    case "long":
    case "float":
    case "double":
    case "string":
      return column;
    case "date":
      return `date_diff('day', DATE '1970-01-01', ${column})`;
    case "timestamp":
    case "timestamptz":
      return `epoch_us(${column})`;
    default:
      return undefined;
  }
}

async function sketchColumn(
  env: LakeEnvironment,
  connection: KernelConnection,
  plan: ScanPlan,
  { name, type }: StructField,
  valueOf: string,
): Promise<ThetaSketch> {
  const sketch = new ThetaSketch();
  for (const tasks of someTogether(plan.tasks)) {
    const rows = await scanSql({ ...plan, tasks }, { store: env.store, columns: [name] });
    const values = `SELECT DISTINCT ${valueOf} AS v FROM (${rows}) WHERE ${sqlName(name)} IS NOT NULL`;
    for await (const chunk of connection.chunks(values)) {
      for (const value of chunk.column(0)) {
        sketch.update(encodeSingleValue(type as PrimitiveType, value as string | number | bigint | boolean));
      }
    }
  }
  return sketch;
}

function* someTogether(tasks: readonly ScanTask[]): Generator<ScanTask[]> {
  let some: ScanTask[] = [];
  let rows = 0;
  for (const task of tasks) {
    some.push(task);
    rows += task.file.recordCount;
    if (rows < ROWS_TOGETHER) continue;
    yield some;
    some = [];
    rows = 0;
  }
  if (some.length > 0) yield some;
}

function blobOf(sketch: ThetaSketch, column: StructField, snapshot: Snapshot): PuffinBlob {
  return {
    type: THETA_BLOB,
    fields: [column.id],
    "snapshot-id": snapshot["snapshot-id"],
    "sequence-number": snapshot["sequence-number"],
    properties: { ndv: String(sketch.estimate()) },
    bytes: sketch.serialise(),
  };
}

async function putStatistics(
  env: LakeEnvironment,
  { metadata }: Table,
  snapshot: Snapshot,
  blobs: readonly PuffinBlob[],
): Promise<StatisticsFile> {
  const { bytes, footerBytes } = puffinFile(blobs, "Firn");
  const folder = metadata.properties["write.metadata.path"] ?? joinLocation(metadata.location, "metadata");
  const base = `${snapshot["snapshot-id"]}-${env.randomness.uuid()}`;
  const location = joinLocation(folder, checksummedName(base, checksumOf(bytes), "stats"));
  await env.store.put(location, bytes);
  return {
    "snapshot-id": snapshot["snapshot-id"],
    "statistics-path": location,
    "file-size-in-bytes": bytes.length,
    "file-footer-size-in-bytes": footerBytes,
    "blob-metadata": blobs.map(({ bytes: _bytes, ...blob }) => blob),
  };
}
