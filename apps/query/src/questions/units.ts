import type { AnswerMeta } from "@firn/client";
import type { AnswerTable } from "../answers/answer-table.ts";

/** The unit that values of a data type are stored in; undefined for a type that is not known. */
export type UnitOfType = (dataType: string) => string | undefined;

/** `meta.unit`: a name for one type, names by type for several. */
export function unitsOf(types: readonly string[] | undefined, unitOf: UnitOfType): Pick<AnswerMeta, "unit"> {
  if (types === undefined || types.length === 0) return {};
  if (types.length === 1) return { unit: unitOf(types[0]!) ?? null };
  return { unit: Object.fromEntries(types.map((type) => [type, unitOf(type) ?? null])) };
}

/** Fills the column `unit` of a table that has it beside `data_type` and without values of its own. */
export function withUnits(table: AnswerTable, unitOf: UnitOfType): AnswerTable {
  const unit = table.columns.findIndex((column) => column.name === "unit");
  const type = table.columns.findIndex((column) => column.name === "data_type");
  if (unit === -1 || type === -1 || table.columns[unit]!.optional !== true) return table;
  const units = table.values[type]!.map((name) => unitOf(name as string) ?? null);
  return { ...table, values: table.values.map((values, index) => (index === unit ? units : values)) };
}
