import { sqlString, sqlStringList } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import { isNested, type PrimitiveType, type StructField } from "../metadata/schema.ts";
import { duckType } from "../parquet/duck-type.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { columnReading, hasIds, lacking, withMappedIds, type ColumnReading } from "./column-reading.ts";
import { defaultSql } from "./default-sql.ts";
import { fileSchema } from "./file-schemas.ts";
import type { ParquetColumns } from "./parquet-schema.ts";
import { literalSql } from "./predicate-sql.ts";
import type { ReadingRules } from "./reading-rules.ts";

/** Columns stand under their field id, so that no name of a table meets the names of the kernel's virtual columns. */
export const idName = (fieldId: number): string => `c${fieldId}`;

/** Something of a scan that lies in one file. */
export interface FileItem {
  readonly file: LiveFile;
  readonly reading?: ReadingRules | undefined;
}

/** Files that one SELECT can read. */
export interface FilesToRead<T extends FileItem> {
  readonly items: readonly T[];
  /**
   * Something to stand behind FROM: a column `c<id>` for each one asked for, `file_index` (into `items`) and
   * `file_row_number`.
   */
  readonly relation: string;
}

/** Footers that are read at the same time. */
const CONCURRENCY = 16;

/**
 * How the columns are read from the files, by what each file's own footer says: by field id where the kernel does the
 * rest, else by expressions over the file's columns. Files that are read alike are together.
 * @throws LakeError naming the file that cannot be read, and why
 */
export async function filesToRead<T extends FileItem>(
  store: Pick<ObjectStore, "localPath">,
  items: readonly T[],
  columns: readonly StructField[],
): Promise<FilesToRead<T>[]> {
  const plans = new Map<ParquetColumns, FilePlan>();
  const alike = new Map<string, { plan: FilePlan; items: T[]; paths: string[] }>();
  for (let start = 0; start < items.length; start += CONCURRENCY) {
    const some = items.slice(start, start + CONCURRENCY);
    const found = await Promise.all(some.map(({ file }) => locate(store, file)));
    for (const [n, item] of some.entries()) {
      const { schema, path } = found[n]!;
      const plan = plans.get(schema) ?? naming(item.file, () => planFile(schema, columns, item.reading));
      plans.set(schema, plan);
      const fromPartition = plan.absent.filter((column) => partitionValueOf(item, column) !== undefined);
      naming(item.file, () => requireColumns(plan.absent, fromPartition));
      const key = `${plan.key} ${fromPartition.map((column) => column.id).join()}`;
      const group = alike.get(key) ?? { plan: { ...plan, fromPartition }, items: [], paths: [] };
      alike.set(key, group);
      group.items.push(item);
      group.paths.push(path);
    }
  }
  return [...alike.values()].map((group) => ({ items: group.items, relation: relationOf(group, columns) }));
}

async function locate(
  store: Pick<ObjectStore, "localPath">,
  file: LiveFile,
): Promise<{ schema: ParquetColumns; path: string }> {
  const schema = await fileSchema(store, file);
  return { schema, path: await store.localPath(file.filePath, file.fileSizeBytes) };
}

interface FilePlan {
  /** The same for files that are read alike. */
  readonly key: string;
  readonly columns: ReadonlyMap<number, ColumnReading>;
  /** True: no column needs an expression over the file's own names. */
  readonly byId: boolean;
  readonly absent: readonly StructField[];
  readonly fromPartition: readonly StructField[];
}

/** Names of the kernel's own that a file read by names must not have. */
const RESERVED = ["file_index", "file_row_number"];

function planFile(
  schema: ParquetColumns,
  columns: readonly StructField[],
  reading: ReadingRules | undefined,
): FilePlan {
  const nodes = withMappedIds(schema, reading?.names);
  if (columns.length > 0 && !hasIds(nodes)) {
    throw new LakeError("unsupported", "its columns have no field ids, and the table has no name mapping for them");
  }
  const namesAreIds = nodes === schema.columns;
  const readings = new Map(columns.map((column) => [column.id, columnReading(column, nodes)]));
  const all = [...readings.values()];
  const byId = all.every((one) => one.kind === "absent" || (namesAreIds && one.byId));
  const absent = columns.filter((column) => readings.get(column.id)!.kind === "absent");
  if (!byId) refuseReserved(schema);
  const defaulted = absent.filter((column) => (column["initial-default"] ?? null) !== null);
  const key = byId ? `by id ${defaulted.map((column) => column.id).join()}` : schema.signature;
  return { key, columns: readings, byId, absent, fromPartition: [] };
}

function refuseReserved({ columns }: ParquetColumns): void {
  const names = columns.map((column) => column.name.toLowerCase());
  const reserved = names.find((name) => RESERVED.includes(name));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  const why = reserved !== undefined ? `a column named ${reserved}` : twice && `two columns named ${twice}`;
  if (why) throw new LakeError("unsupported", `it has ${why}, and must be read by names`);
}

function requireColumns(absent: readonly StructField[], fromPartition: readonly StructField[]): void {
  const missing = absent.find(
    (column) => column.required && column["initial-default"] === undefined && !fromPartition.includes(column),
  );
  if (missing !== undefined) throw lacking(missing.name);
}

function partitionValueOf({ file, reading }: FileItem, column: StructField): unknown {
  return reading?.partitionValue(file, column.id);
}

function naming<R>({ filePath }: LiveFile, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LakeError)) throw error;
    const context = { ...error.context, file: filePath };
    throw new LakeError(error.kind, `${filePath}: ${error.message}`, { cause: error, context });
  }
}

function relationOf(
  { plan, items, paths }: { plan: FilePlan; items: readonly FileItem[]; paths: readonly string[] },
  columns: readonly StructField[],
): string {
  const { absent, fromPartition, byId } = plan;
  const fixed = absent.filter(
    (column) => fromPartition.includes(column) || (column["initial-default"] ?? null) !== null,
  );
  if (byId && fixed.length === 0) return readByIdSql(paths, columns);
  const files = byId
    ? readByIdSql(
        paths,
        columns.filter((column) => !fixed.includes(column)),
      )
    : `read_parquet(${sqlStringList(paths)}, hive_partitioning = false)`;
  const selected = columns.map((column) => {
    const own = plan.columns.get(column.id)!;
    if (fromPartition.includes(column)) return `${partitionSql(items, column)} AS ${idName(column.id)}`;
    if (fixed.includes(column)) return `${defaultSql(column)} AS ${idName(column.id)}`;
    if (byId) return idName(column.id);
    return `${own.kind === "own" ? own.sql() : defaultSql(column)} AS ${idName(column.id)}`;
  });
  return `(SELECT ${[...selected, "file_index", "file_row_number"].join(", ")} FROM ${files})`;
}

function readByIdSql(paths: readonly string[], columns: Iterable<StructField>): string {
  const fields = Array.from(
    columns,
    (column) =>
      `${column.id}: {name: '${idName(column.id)}', type: ${sqlString(duckType(column.type))}, default_value: NULL}`,
  );
  // Without a column to read DuckDB would look for the names in the file.
  const schema = fields.length === 0 ? "" : `, schema = MAP {${fields.join(", ")}}`;
  return `read_parquet(${sqlStringList(paths)}${schema}, hive_partitioning = false)`;
}

/** The value of each file's partition, by the file's place. */
function partitionSql(items: readonly FileItem[], column: StructField): string {
  const type = duckType(column.type);
  const values = items.map((item) => {
    const value = item.reading?.partitionValue(item.file, column.id) ?? null;
    return value === null || isNested(column.type) ? "NULL" : literalSql(column.type as PrimitiveType, value);
  });
  return `CAST(([${values.join(", ")}])[(file_index + 1)::BIGINT] AS ${type})`;
}

/**
 * A value for each file, by its place in the list.
 * @param from how the columns of the files are written: `r.` or nothing
 */
export function byFileSql(values: readonly number[], type: string, from = ""): string {
  const [first] = values;
  if (values.every((value) => value === first)) return `${first}::${type}`;
  return `([${values.join(", ")}])[(${from}file_index + 1)::BIGINT]::${type}`;
}
