import type { AnswerTable } from "@firn/core";
import { jsonColumns } from "./json-values.ts";

/**
 * RFC 4180 with a header line. Nothing between commas is null, `""` the empty text; maps are JSON.
 */
export function csvText(table: AnswerTable): string {
  const lines = [table.columns.map((column) => field(column.name)).join(",")];
  const columns = jsonColumns(table);
  for (let row = 0; row < table.rowCount; row++) lines.push(columns.map((values) => field(values[row])).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
