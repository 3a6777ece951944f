import { positionEntry, type TableDefinition } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import {
  definedType,
  duckType,
  postCommit,
  sqlName,
  sqlString,
  stageCommit,
  stageRows,
  stageUpsert,
  type KernelConnection,
  type LakeEnvironment,
  type Table,
} from "@firn/lake";
import { openLocalLake } from "@firn/testing";

export type Row = Readonly<Record<string, unknown>>;

/** A lake in a temporary folder, its catalog in memory; with the health tables unless it is told others. */
export interface SmallLake {
  readonly env: LakeEnvironment;
  readonly folder: string;
  readonly connection: KernelConnection;
  append(definition: TableDefinition, rows: readonly Row[], properties?: Record<string, string>): Promise<Table>;
  /** Replaces or adds rows by identity; small changes become position deletes. */
  upsert(definition: TableDefinition, rows: readonly Row[]): Promise<Table>;
  setProperties(definition: TableDefinition, properties: Record<string, string>): Promise<Table>;
  close(): Promise<void>;
}

export const health = createHealthDataset();

/** As every snapshot of the writer has it. */
const ownSnapshot = { [positionEntry]: "0" };

const HEALTH_TABLES = [health.raw, health.errors, ...health.rollups.map((rollup) => rollup.table)];

export async function smallLake(tables: readonly TableDefinition[] = HEALTH_TABLES): Promise<SmallLake> {
  const lake = await openLocalLake("query", { memoryLimitMb: 512 });
  const { env, connection } = lake;
  await lake.createTables(tables);

  const commit = async (table: Table, plan: Omit<Parameters<typeof stageCommit>[1], "table">): Promise<Table> => {
    const posted = await postCommit(env, await stageCommit(env, { table, ...plan }));
    if (posted.kind !== "committed") throw new Error("the commit lost a race in a test without one");
    return posted.table;
  };
  return {
    env,
    folder: lake.folder,
    connection,
    async append(definition, rows, properties) {
      const table = await lake.load(definition);
      const addedData = await stageRows(connection, { env, table, relationSql: rowsSql(definition, rows) });
      const changes = [{ operation: "append" as const, addedData, summary: ownSnapshot }];
      return commit(table, { changes, ...(properties && { setProperties: properties }) });
    },
    async upsert(definition, rows) {
      const table = await lake.load(definition);
      const staged = await stageUpsert(connection, {
        env,
        table,
        rowsSql: rowsSql(definition, rows),
        keyColumns: definition.identity,
        copyOnWriteRows: 0,
      });
      return commit(table, { changes: [{ operation: "overwrite", ...staged, summary: ownSnapshot }] });
    },
    async setProperties(definition, setProperties) {
      const table = await lake.load(definition);
      return commit(table, { changes: [], setProperties });
    },
    close: () => lake.close(),
  };
}

/** Rows as a SELECT: instants as ISO texts, dates as YYYY-MM-DD, maps as objects. */
function rowsSql(definition: TableDefinition, rows: readonly Row[]): string {
  const lists = definition.columns.map(({ name, type }) => {
    const values = rows.map((row) => literal(row[name]));
    return `unnest([${values.join(", ")}]::${duckType(definedType(type))}[]) AS ${sqlName(name)}`;
  });
  return `SELECT ${lists.join(", ")}`;
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "string") return sqlString(value);
  if (typeof value === "object") {
    const entries = Object.entries(value as Record<string, string>);
    return `MAP {${entries.map(([key, item]) => `${sqlString(key)}: ${sqlString(item)}`).join(", ")}}`;
  }
  // Without an exponent DuckDB reads a decimal, which is another number in the last digit.
  return typeof value === "number" && !Number.isInteger(value) ? value.toExponential() : String(value);
}
