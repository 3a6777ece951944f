import type { AnswerColumn } from "./question.ts";

/**
 * Rows of an answer, column by column, with values as the kernel gives them: instants in microseconds, dates in days
 * since 1970-01-01, whole numbers as a number or beyond 2^53 as a bigint, maps as lists of `{ key, value }`.
 */
export interface AnswerTable {
  readonly columns: readonly AnswerColumn[];
  readonly rowCount: number;
  /** One array a column, in the order of `columns`. */
  readonly values: readonly (readonly unknown[])[];
}

/** The values of the named column. @throws Error where the answer has none of that name */
export function columnValues(table: AnswerTable, name: string): readonly unknown[] {
  const index = table.columns.findIndex((column) => column.name === name);
  if (index === -1) throw new Error(`the answer has no column ${name}`);
  return table.values[index]!;
}

/** The first rows. */
export function firstRows(table: AnswerTable, count: number): AnswerTable {
  if (table.rowCount <= count) return table;
  return { ...table, rowCount: count, values: table.values.map((values) => values.slice(0, count)) };
}

/** The rows from `from` to before `to`. */
export function sliceRows(table: AnswerTable, from: number, to: number): AnswerTable {
  if (from === 0 && to >= table.rowCount) return table;
  const values = table.values.map((column) => column.slice(from, to));
  return { ...table, rowCount: Math.max(0, Math.min(to, table.rowCount) - from), values };
}

/** Rows as a table of an answer: a value for each column, by its name; what is missing is null. */
export function tableOfRows(columns: readonly AnswerColumn[], rows: readonly object[]): AnswerTable {
  const values = columns.map(({ name }) => rows.map((row) => (row as Record<string, unknown>)[name] ?? null));
  return { columns, rowCount: rows.length, values };
}
