import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { columnByName } from "../metadata/schema.ts";
import { currentSchema } from "../metadata/table-metadata.ts";
import { duckType } from "../parquet/duck-type.ts";
import { tableColumnsSql } from "../parquet/write-layout.ts";
import type { StageUpsertOptions } from "./stage-upsert.ts";

/** Temporary tables of one upsert. */
export interface KeyTable {
  /** Whole new rows, in the table's types. */
  readonly newRows: string;
  /** Each key once, with `__firn_new`: whether a new row stands for it. */
  readonly keys: string;
  /** (file_at, pos, is_new) of the rows that have one of the keys; made later. */
  readonly hits: string;
  /** How many new rows there are. */
  readonly rows: number;
  readonly temporary: readonly string[];
}

export async function createKeyTable(connection: KernelConnection, options: StageUpsertOptions): Promise<KeyTable> {
  const { env, table, rowsSql, deleteKeysSql, keyColumns } = options;
  const schema = currentSchema(table.metadata);
  const scratch = `firn_${env.randomness.uuid().replaceAll("-", "")}`;
  const [newRows, keys, hits] = [`${scratch}_new`, `${scratch}_keys`, `${scratch}_hits`];
  const described = await connection.rows<{ column_name: string }>(`DESCRIBE (${rowsSql})`);
  const columns = new Set(described.map((column) => column.column_name.toLowerCase()));
  const names = keyColumns.map(sqlName).join(", ");
  await connection.run(
    `CREATE TEMP TABLE ${sqlName(newRows)} AS SELECT ${tableColumnsSql(schema, columns)} FROM (${rowsSql});
     CREATE TEMP TABLE ${sqlName(keys)} AS SELECT DISTINCT ${names}, true AS __firn_new FROM ${sqlName(newRows)}`,
  );
  const [count] = await connection.rows<{ rows: number; keys: number }>(
    `SELECT (SELECT count(*) FROM ${sqlName(newRows)}) AS rows, (SELECT count(*) FROM ${sqlName(keys)}) AS keys`,
  );
  const temporary = [newRows, keys, hits];
  if (count!.rows !== count!.keys) {
    await dropTables(connection, temporary);
    throw new LakeError("invalid", `${count!.rows} rows to upsert have only ${count!.keys} keys`);
  }
  if (deleteKeysSql !== undefined) {
    const typed = keyColumns.map((name) => {
      const column = columnByName(schema, name)!;
      return `CAST(${sqlName(name)} AS ${duckType(column.type)}) AS ${sqlName(name)}`;
    });
    const same = keyColumns.map((name) => `d.${sqlName(name)} = k.${sqlName(name)}`).join(" AND ");
    await connection.run(
      `INSERT INTO ${sqlName(keys)} SELECT DISTINCT ${names}, false FROM (SELECT ${typed.join(", ")} FROM (${deleteKeysSql})) AS d
       ANTI JOIN ${sqlName(keys)} AS k ON ${same}`,
    );
  }
  return { newRows, keys, hits, rows: count!.rows, temporary };
}

export async function dropTables(connection: KernelConnection, names: readonly string[]): Promise<void> {
  await connection.run(names.map((name) => `DROP TABLE IF EXISTS ${sqlName(name)}`).join("; "));
}
