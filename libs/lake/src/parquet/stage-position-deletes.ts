import { join } from "node:path";
import type { LakeEnvironment } from "../commit/environment.ts";
import type { Table } from "../commit/table.ts";
import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName, sqlString } from "../kernel/sql-text.ts";
import { FileContent, type DataFile } from "../manifest/data-file.ts";
import { DELETE_FILE_PATH_ID, DELETE_POS_ID } from "../scan/delete-index.ts";
import { boundSpec, partitionKey, type BoundSpec } from "../transform/bound-spec.ts";
import { fileMetrics, type LeafColumn, type WrittenFile } from "./file-metrics.ts";
import { adoptWritten, newFileLocation } from "./written-files.ts";

export interface StagePositionDeletesOptions {
  readonly env: Pick<LakeEnvironment, "store" | "randomness">;
  readonly table: Table;
  /** The data files whose rows go. */
  readonly dataFiles: readonly DataFile[];
  /** A SELECT of (file_at, pos): an index into `dataFiles` and a row's position in that file. Each pair once. */
  readonly relationSql: string;
}

const leaves: ReadonlyMap<string, LeafColumn> = new Map([
  [`"file_path"`, { id: DELETE_FILE_PATH_ID, type: "string", required: true, name: "file_path", repeated: false }],
  [`"pos"`, { id: DELETE_POS_ID, type: "long", required: true, name: "pos", repeated: false }],
]);

interface DeletePartition {
  readonly spec: BoundSpec;
  readonly files: DataFile[];
}

/**
 * Writes position delete files (specification, "Position Delete Files"), one for each partition that `dataFiles` lie
 * in, sorted by file and position, and puts them durably into the store. Locations stand in them exactly as in the
 * data file's manifest entry.
 */
export async function stagePositionDeletes(
  connection: KernelConnection,
  options: StagePositionDeletesOptions,
): Promise<DataFile[]> {
  const { env, table, dataFiles } = options;
  if (dataFiles.length === 0) return [];
  const partitions = partitionsOf(table, dataFiles);
  return connection.staging.use(async (folder) => {
    const written = await connection.rows<WrittenFile>(copySql(options, partitions, folder));
    const batch = env.randomness.uuid();
    const located = [];
    for (const [at, file] of written.filter(({ count }) => Number(count) > 0).entries()) {
      const { spec, files } = partitions[Number(file.partition_keys![0]!.value)]!;
      const base = `${batch}-${String(at).padStart(5, "0")}-deletes`;
      const localPath = file.filename;
      const location = await newFileLocation(table, { spec, partition: files[0]!.partition, base, localPath });
      located.push({ file, spec, files, location, localPath, sizeBytes: Number(file.file_size_bytes) });
    }
    await adoptWritten(env, located);
    return located.map(({ file, spec, files, location }) => deleteFile(file, spec, files, location));
  });
}

function partitionsOf(table: Table, dataFiles: readonly DataFile[]): DeletePartition[] {
  const specs = new Map<number, BoundSpec>();
  const partitions = new Map<string, DeletePartition>();
  for (const file of dataFiles) {
    const spec = specs.get(file.specId) ?? boundSpec(table.metadata, file.specId);
    specs.set(file.specId, spec);
    const key = partitionKey(spec, file.partition);
    const known = partitions.get(key) ?? { spec, files: [] };
    known.files.push(file);
    partitions.set(key, known);
  }
  return [...partitions.values()];
}

function copySql(
  { dataFiles, relationSql }: StagePositionDeletesOptions,
  partitions: readonly DeletePartition[],
  folder: string,
): string {
  const partitionOf = new Map(partitions.flatMap(({ files }, at) => files.map((file) => [file, at] as const)));
  const files = dataFiles.map((file, at) => `(${at}, ${sqlString(file.filePath)}, ${partitionOf.get(file)})`);
  return `COPY (
      SELECT f.file_path, d.pos::BIGINT AS pos, f.partition
      FROM (${relationSql}) AS d JOIN (VALUES ${files.join(", ")}) AS f(file_at, file_path, partition) ON f.file_at = d.file_at
      ORDER BY f.partition, f.file_path, d.pos)
    TO ${sqlString(join(folder, "deletes"))} (FORMAT parquet, RETURN_STATS, COMPRESSION zstd, PARTITION_BY (partition),
      FILENAME_PATTERN '{i}', OVERWRITE_OR_IGNORE, FIELD_IDS {${sqlName("file_path")}: ${DELETE_FILE_PATH_ID}, ${sqlName("pos")}: ${DELETE_POS_ID}})`;
}

/** Bounds of the location are whole, so that a reader sees which data files are meant: they are not cut as others are. */
function deleteFile(file: WrittenFile, spec: BoundSpec, files: readonly DataFile[], location: string): DataFile {
  const metrics = fileMetrics(file, leaves);
  const lowest = statistic(file, "min");
  const highest = statistic(file, "max");
  const referenced = files.find(({ filePath }) => filePath === lowest && filePath === highest);
  return {
    content: FileContent.positionDeletes,
    filePath: location,
    fileFormat: "PARQUET",
    specId: spec.specId,
    partition: files[0]!.partition,
    recordCount: Number(file.count),
    fileSizeBytes: Number(file.file_size_bytes),
    ...metrics,
    lowerBounds: withPath(metrics.lowerBounds, files, lowest),
    upperBounds: withPath(metrics.upperBounds, files, highest),
    ...(referenced === undefined ? {} : { referencedDataFile: referenced.filePath }),
  };
}

function statistic(file: WrittenFile, name: "min" | "max"): string | undefined {
  const path = file.column_statistics.find(({ key }) => key === `"file_path"`);
  return path?.value.find(({ key }) => key === name)?.value;
}

/** Statistics of long locations may be cut; then no bound is written. */
function withPath(
  bounds: ReadonlyMap<number, Uint8Array>,
  files: readonly DataFile[],
  path: string | undefined,
): Map<number, Uint8Array> {
  const changed = new Map(bounds);
  if (path !== undefined && files.some(({ filePath }) => filePath === path)) {
    changed.set(DELETE_FILE_PATH_ID, Buffer.from(path, "utf8"));
  } else {
    changed.delete(DELETE_FILE_PATH_ID);
  }
  return changed;
}
