import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName, sqlString } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import type { Partition } from "../manifest/data-file.ts";
import { fileMetrics, type FileMetrics, type WrittenFile } from "./file-metrics.ts";
import { partitionMetrics, type PartitionMetrics } from "./partition-metrics.ts";
import { PARTITION_COLUMN, type PartitionedRelation } from "./partitioned-relation.ts";
import type { WriteLayout } from "./write-layout.ts";

/**
 * Metrics of many partitions with fewer rows than this are computed from the rows (about 1 µs a row) instead of being
 * asked of COPY (about 0.3 ms a file).
 */
const ROWS_WITH_STATS_MIN = 300;

/** Partitions that one COPY writes: each open file costs some hundred kilobytes until the COPY ends. */
const PARTITIONS_AT_ONCE = 128;

/** A finished local file and what its manifest entry says of it. */
export interface WrittenPartition {
  readonly localPath: string;
  readonly sizeBytes: number;
  readonly partition: Partition;
  readonly recordCount: number;
  readonly metrics: FileMetrics;
}

/** Writes the rows of a relation into `folder`: a file for each partition, sorted as the layout says. */
export async function copyRows(
  connection: KernelConnection,
  layout: WriteLayout,
  relation: PartitionedRelation,
  folder: string,
): Promise<WrittenPartition[]> {
  const { partitions } = relation;
  const columns = layout.schema.fields.map((column) => sqlName(column.name)).join(", ");
  if (partitions.length === 1) {
    const orderBy = layout.orderBy === "" ? "" : ` ORDER BY ${layout.orderBy}`;
    const files = await connection.rows<WrittenFile>(
      `COPY (SELECT ${columns} FROM ${relation.rows}${orderBy})
       TO ${sqlString(join(folder, "rows.parquet"))} (${layout.copyOptions}, RETURN_STATS)`,
    );
    return files.map((file) => written(file, layout, partitions[0]!));
  }
  // Only one thread is sure to write one file for each partition.
  const areSmall = (relation.rowCount ?? Infinity) < ROWS_WITH_STATS_MIN * partitions.length;
  const metrics =
    areSmall && connection.threads === 1
      ? await partitionMetrics(connection, layout.schema, relation.rowsWithPartition)
      : undefined;
  const all: WrittenPartition[] = [];
  let copied = 0;
  for (let from = 0; from < partitions.length; from += PARTITIONS_AT_ONCE) {
    const copy = partitionedCopySql(layout, relation, folder, from);
    if (metrics === undefined) {
      const files = await connection.rows<WrittenFile>(copy("RETURN_STATS"));
      all.push(...files.map((file) => written(file, layout, partitions[Number(file.partition_keys![0]!.value)]!)));
    } else {
      const [result] = await connection.rows<{ Count: number; Files: string[] }>(copy("RETURN_FILES"));
      copied += result!.Count;
      all.push(...result!.Files.map((path) => measured(path, partitions, metrics)));
    }
  }
  if (metrics !== undefined) checkMeasured(all.length, copied, metrics);
  return all;
}

/** A COPY of the rows of PARTITIONS_AT_ONCE partitions from the given one on, by what it is to return. */
function partitionedCopySql(
  layout: WriteLayout,
  { partitions, rowsWithPartition }: PartitionedRelation,
  folder: string,
  from: number,
): (returns: string) => string {
  const columns = layout.schema.fields.map((column) => sqlName(column.name)).join(", ");
  const orderBy = [PARTITION_COLUMN, layout.orderBy].filter((term) => term !== "").join(", ");
  const some =
    partitions.length <= PARTITIONS_AT_ONCE
      ? ""
      : ` WHERE ${PARTITION_COLUMN} >= ${from} AND ${PARTITION_COLUMN} < ${from + PARTITIONS_AT_ONCE}`;
  return (returns) =>
    `COPY (SELECT ${columns}, ${PARTITION_COLUMN} FROM ${rowsWithPartition}${some} ORDER BY ${orderBy})
     TO ${sqlString(folder)} (${layout.copyOptions}, PARTITION_BY (${PARTITION_COLUMN}), FILENAME_PATTERN '{i}', OVERWRITE_OR_IGNORE, ${returns})`;
}

function written(file: WrittenFile, layout: WriteLayout, partition: Partition): WrittenPartition {
  return {
    localPath: file.filename,
    sizeBytes: Number(file.file_size_bytes),
    partition,
    recordCount: Number(file.count),
    metrics: fileMetrics(file, layout.leaves),
  };
}

function measured(
  localPath: string,
  partitions: readonly Partition[],
  metrics: ReadonlyMap<number, PartitionMetrics>,
): WrittenPartition {
  // DuckDB names folders `column=value`.
  const number = Number(basename(dirname(localPath)).split("=")[1]);
  return { localPath, sizeBytes: statSync(localPath).size, partition: partitions[number]!, ...metrics.get(number)! };
}

/** The rows were read once for the metrics and once for the files: they must have been the same. */
function checkMeasured(files: number, copied: number, metrics: ReadonlyMap<number, PartitionMetrics>): void {
  const counted = [...metrics.values()].reduce((sum, { recordCount }) => sum + recordCount, 0);
  if (files === metrics.size && copied === counted) return;
  throw new LakeError("invalid", `${counted} rows in ${metrics.size} partitions became ${copied} in ${files}`);
}
