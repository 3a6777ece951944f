import type { ColumnType, RecordTable } from "@firn/core";
import type { Queryable } from "@firn/relational";
import { escapeIdentifier } from "pg";

import { CommandError, EXIT } from "../exit-code.ts";

/** Rows of a PostgreSQL table on their way to an Iceberg table. */
export interface SourceTable {
  /** Name in PostgreSQL. */
  readonly name: string;
  readonly target: RecordTable;
  /** A SELECT of the target's columns that the source has, under their names, as texts and numbers. */
  readonly rowsSql: string;
  readonly columns: readonly string[];
  /** The identity in the order of an index where there is one: pages follow it. */
  readonly key: readonly string[];
  readonly isIndexed: boolean;
  /** Columns of the source that have no place in the target. */
  readonly left: readonly string[];
  /** Condition on the source's rows; "true" for all. */
  readonly where: string;
}

/** A table that may be migrated: where its rows go, and which of them. */
interface Plan {
  readonly target: string;
  /** Only rows of securities of this country. */
  readonly isoCode?: "US" | "KR";
}

/** Tables by their names in PostgreSQL; tb_price is split by the country of the security. */
export const MIGRATED: Readonly<Record<string, readonly Plan[]>> = {
  us_stocks_price: [{ target: "us_stocks_price" }],
  kr_stocks_price: [{ target: "kr_stocks_price" }],
  tb_nav: [{ target: "tb_nav" }],
  tb_rebalance: [{ target: "tb_rebalance" }],
  tb_macro_data: [{ target: "tb_macro_data" }],
  tb_price: [
    { target: "us_stocks_price", isoCode: "US" },
    { target: "kr_stocks_price", isoCode: "KR" },
  ],
};

/**
 * What to read of a table; undefined when the database has no such table.
 * @throws CommandError when it lacks a column of the identity
 */
export async function planSources(
  database: Queryable,
  name: string,
  tables: readonly RecordTable[],
): Promise<SourceTable[] | undefined> {
  const columns = await columnsOf(database, name);
  if (columns.size === 0) return undefined;
  const sources: SourceTable[] = [];
  for (const { target, isoCode } of MIGRATED[name] ?? []) {
    const table = tables.find(({ definition }) => definition.name === target)!;
    const { definition, derived } = table;
    const missing = definition.identity.filter((column) => !columns.has(column));
    if (missing.length > 0) {
      throw new CommandError(EXIT.no, `${name} has no column ${missing.join(", ")}, which names its rows`);
    }
    const taken = definition.columns.filter((column) => columns.has(column.name) && column.name !== derived?.column);
    const takenNames = taken.map((column) => column.name);
    const index = await uniqueIndexOf(database, name, definition.identity);
    sources.push({
      name,
      target: table,
      rowsSql: taken.map((column) => valueSql(column.name, column.type, columns.get(column.name)!)).join(", "),
      columns: takenNames,
      key: index ?? definition.identity,
      isIndexed: index !== undefined,
      left: [...columns.keys()].filter((column) => !takenNames.includes(column) && column !== derived?.column),
      where:
        isoCode === undefined
          ? "true"
          : `EXISTS (SELECT FROM tb_meta AS m WHERE m.meta_id = s.meta_id AND m.iso_code = '${isoCode}')`,
    });
  }
  return sources;
}

/** Column names of a table with the types that PostgreSQL calls them. */
async function columnsOf(database: Queryable, table: string): Promise<Map<string, string>> {
  const { rows } = await database.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [escapeIdentifier(table)],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** The columns of a unique index over just these columns, in its order. */
async function uniqueIndexOf(
  database: Queryable,
  table: string,
  columns: readonly string[],
): Promise<readonly string[] | undefined> {
  const { rows } = await database.query<{ columns: string[] }>(
    `SELECT array_agg(a.attname::text ORDER BY k.place) AS columns
     FROM pg_index AS i CROSS JOIN unnest(i.indkey::int[]) WITH ORDINALITY AS k(number, place)
     JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
     WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indpred IS NULL AND i.indisvalid
     GROUP BY i.indexrelid`,
    [escapeIdentifier(table)],
  );
  const wanted = [...columns].sort().join();
  return rows.map((row) => row.columns).find((found) => [...found].sort().join() === wanted);
}

/** A column as the lake takes it: dates and instants as texts (without a zone they are UTC), numbers as numbers. */
function valueSql(name: string, type: ColumnType, sourceType: string): string {
  const column = `s.${escapeIdentifier(name)}`;
  return `${castSql(column, type, sourceType)} AS ${escapeIdentifier(name)}`;
}

function castSql(column: string, type: ColumnType, sourceType: string): string {
  switch (type) {
    case "date":
      return `${column}::date::text`;
    case "timestamptz": {
      const utc = sourceType.includes("with time zone") ? `${column} AT TIME ZONE 'UTC'` : `${column}::timestamp`;
      return `to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
    }
    case "float":
    case "double":
      return `${column}::float8`;
    case "int":
    case "long":
      return `${column}::int8`;
    default:
      return `${column}::text`;
  }
}
