import type { LakeEnvironment } from "../commit/environment.ts";
import type { Table } from "../commit/table.ts";
import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { FileContent, type DataFile } from "../manifest/data-file.ts";
import { copyRows, type WrittenPartition } from "./copy-rows.ts";
import type { FileMetrics, LeafColumn } from "./file-metrics.ts";
import { findPartitions } from "./partitioned-relation.ts";
import { tableColumnsSql, writeLayout, type WriteLayout } from "./write-layout.ts";
import { adoptWritten, newFileLocation } from "./written-files.ts";

export interface StageRowsOptions {
  readonly env: Pick<LakeEnvironment, "store" | "randomness">;
  readonly table: Table;
  /** A SELECT with the table's columns by name. A missing optional column becomes null, others are left out. */
  readonly relationSql: string;
  /**
   * True: the SELECT is cheap and gives the same rows each time (a filter over a table), so each step runs it again.
   * Default false: it runs once, and its rows are kept in a temporary table meanwhile.
   */
  readonly evaluateAgain?: boolean;
  /** Columns that the rows of each file are sorted by, ascending. Default: the table's sort order. */
  readonly sort?: readonly string[];
  /** Default: the table's property `firn.parquet.row-group-rows`, else 122,880. */
  readonly rowGroupRows?: number;
}

/**
 * Writes rows as Parquet files of the table's current schema and default partition spec, one file per partition, and
 * puts them durably into the store. Nothing refers to them yet. No rows, no files.
 * @throws LakeError `invalid` when a required column has a null
 */
export async function stageRows(connection: KernelConnection, options: StageRowsOptions): Promise<DataFile[]> {
  const { env, table } = options;
  const layout = writeLayout(table, options.sort, options.rowGroupRows);
  const scratch = `firn_${env.randomness.uuid().replaceAll("-", "")}`;
  const relation = await openRelation(connection, options, layout, scratch);
  const partitioned = await findPartitions(connection, { layout, relation: relation.sql, scratch });
  try {
    if (partitioned.partitions.length === 0) return [];
    return await connection.staging.use(async (folder) => {
      const written = await copyRows(connection, layout, partitioned, folder);
      for (const { metrics } of written) requireValues(metrics, layout.leaves.values());
      return adoptDataFiles(env, table, layout, written);
    });
  } finally {
    const temporary = [...relation.temporary, ...partitioned.temporary];
    await connection.run(temporary.map((name) => `DROP TABLE IF EXISTS ${sqlName(name)}`).join("; ") || "SELECT 1");
  }
}

interface OpenedRelation {
  /** Something that can stand behind FROM. */
  readonly sql: string;
  readonly temporary: readonly string[];
}

async function openRelation(
  connection: KernelConnection,
  options: StageRowsOptions,
  layout: WriteLayout,
  scratch: string,
): Promise<OpenedRelation> {
  const described = await connection.rows<{ column_name: string }>(`DESCRIBE (${options.relationSql})`);
  const columns = new Set(described.map((column) => column.column_name.toLowerCase()));
  const select = `SELECT ${tableColumnsSql(layout.schema, columns)} FROM (${options.relationSql})`;
  if (options.evaluateAgain === true) return { sql: `(${select})`, temporary: [] };
  const name = `${scratch}_rows`;
  await connection.run(`CREATE TEMP TABLE ${sqlName(name)} AS ${select}`);
  return { sql: sqlName(name), temporary: [name] };
}

function requireValues({ nullValueCounts }: FileMetrics, leaves: Iterable<LeafColumn>): void {
  for (const leaf of leaves) {
    const nulls = leaf.required ? (nullValueCounts.get(leaf.id) ?? 0) : 0;
    if (nulls > 0) {
      throw new LakeError("invalid", `column ${leaf.name} is required and has ${nulls} nulls`, {
        context: { column: leaf.name },
      });
    }
  }
}

async function adoptDataFiles(
  env: StageRowsOptions["env"],
  table: Table,
  layout: WriteLayout,
  written: readonly WrittenPartition[],
): Promise<DataFile[]> {
  const batch = env.randomness.uuid();
  const located: (WrittenPartition & { readonly location: string })[] = [];
  for (const [at, file] of written.entries()) {
    const { localPath, partition } = file;
    const base = `${batch}-${String(at).padStart(5, "0")}`;
    const location = await newFileLocation(table, { spec: layout.spec, partition, base, localPath });
    located.push({ ...file, location });
  }
  await adoptWritten(env, located);
  return located.map(({ partition, recordCount, sizeBytes, metrics, location }) => ({
    content: FileContent.data,
    filePath: location,
    fileFormat: "PARQUET",
    specId: layout.spec.specId,
    partition,
    recordCount,
    fileSizeBytes: sizeBytes,
    ...metrics,
    ...(layout.sortOrderId === undefined ? {} : { sortOrderId: layout.sortOrderId }),
  }));
}
