import type { AnswerType } from "@firn/client";
import type { AnswerTable } from "@firn/core";
import { formatDate, formatInstant, type Micros } from "../parameters/instant.ts";

export interface MapEntry {
  readonly key: string;
  readonly value: string | null;
}

type Formatter = (value: never) => unknown;

/** Kernel value → what stands in JSON. What is not named stands as it is. */
const FORMATTERS: Partial<Record<AnswerType, Formatter>> = {
  timestamptz: (value: Micros) => formatInstant(value),
  date: (value: number) => formatDate(value),
  long: (value: number | bigint) => (typeof value === "bigint" ? String(value) : value),
  // A null prototype would lose nothing, but defining keeps a key named __proto__ an ordinary one.
  "map<string,string>": (value: readonly MapEntry[]) =>
    Object.fromEntries(value.map((entry) => [entry.key, entry.value])),
};

/** The columns with their values as JSON has them. */
export function jsonColumns(table: AnswerTable): readonly (readonly unknown[])[] {
  return table.columns.map((column, index) => {
    const values = table.values[index]!;
    const format = FORMATTERS[column.type];
    if (format === undefined) return values;
    return values.map((value) => (value === null ? null : format(value as never)));
  });
}

/** The rows as JSON text, an array of objects. */
export function jsonRows(table: AnswerTable): string {
  const columns = jsonColumns(table);
  const keys = table.columns.map((column, index) => `${index === 0 ? "{" : ","}${JSON.stringify(column.name)}:`);
  const rows: string[] = [];
  for (let row = 0; row < table.rowCount; row++) {
    let text = "";
    for (let index = 0; index < columns.length; index++) text += keys[index]! + JSON.stringify(columns[index]![row]);
    rows.push(`${text}}`);
  }
  return `[${rows.join(",")}]`;
}
