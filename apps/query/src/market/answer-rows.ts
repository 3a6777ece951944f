import type { AnswerColumn } from "@firn/client";
import type { AnswerTable } from "../answers/answer-table.ts";

/** Rows as a table of an answer: a value for each column, by its name; what is missing is null. */
export function tableOfRows(columns: readonly AnswerColumn[], rows: readonly object[]): AnswerTable {
  const values = columns.map(({ name }) => rows.map((row) => (row as Record<string, unknown>)[name] ?? null));
  return { columns, rowCount: rows.length, values };
}
