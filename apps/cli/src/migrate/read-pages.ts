import type { MarketRow } from "@firn/feeds";
import type { Queryable } from "@firn/relational";
import { escapeIdentifier } from "pg";

import type { SourceTable } from "./source-table.ts";

/** Values of the key columns of a row, as texts. */
export type PageKey = readonly string[];

export interface Page {
  readonly rows: readonly MarketRow[];
  /** Of the last row: the next page begins behind it. */
  readonly lastKey: PageKey;
}

/**
 * Reads a table page by page in the order of its key, each from behind the last key of the one before (never by
 * OFFSET): the cost of a page does not grow with its number, and what is inserted meanwhile moves no row to another
 * page.
 */
export async function* readPages(
  database: Queryable,
  source: SourceTable,
  options: { readonly batchSize: number; readonly after: PageKey | undefined },
): AsyncGenerator<Page> {
  let after = options.after;
  for (;;) {
    const { sql, values } = pageSql(source, after, options.batchSize);
    const { rows } = await database.query<Record<string, string | number | boolean | null>>(sql, values);
    if (rows.length === 0) return;
    after = source.key.map((column) => String(rows.at(-1)![column]));
    yield { rows: rows.map(sendable), lastKey: after };
    if (rows.length < options.batchSize) return;
  }
}

function pageSql(source: SourceTable, after: PageKey | undefined, limit: number): { sql: string; values: unknown[] } {
  const key = source.key.map((column) => `s.${escapeIdentifier(column)}`).join(", ");
  const behind = after === undefined ? "" : ` AND (${key}) > (${after.map((_, at) => `$${at + 2}`).join(", ")})`;
  const sql = `SELECT ${source.rowsSql} FROM ${escapeIdentifier(source.name)} AS s
    WHERE ${source.where}${behind} ORDER BY ${key} LIMIT $1`;
  return { sql, values: [limit, ...(after ?? [])] };
}

/** What is no number in JSON goes as a text, so that the lake refuses it by name instead of storing nothing. */
function sendable(row: Record<string, string | number | boolean | null>): MarketRow {
  for (const [name, value] of Object.entries(row))
    if (typeof value === "number" && !Number.isFinite(value)) return { ...row, [name]: String(value) };
  return row;
}
