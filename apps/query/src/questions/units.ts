import type { AnswerMeta } from "@firn/client";
import type { AnswerTable, RecordKinds } from "@firn/core";

/** `meta.unit`: a name for one type, names by type for several. */
export function unitsOf(
  types: readonly string[] | undefined,
  kinds: RecordKinds | undefined,
): Pick<AnswerMeta, "unit"> {
  if (kinds === undefined || types === undefined || types.length === 0) return {};
  if (types.length === 1) return { unit: kinds.unitOf(types[0]!) ?? null };
  return { unit: Object.fromEntries(types.map((type) => [type, kinds.unitOf(type) ?? null])) };
}

/** Fills the column `unit` of a table that has it beside the kind and without values of its own. */
export function withUnits(table: AnswerTable, kinds: RecordKinds | undefined): AnswerTable {
  if (kinds === undefined) return table;
  const unit = table.columns.findIndex((column) => column.name === "unit");
  const type = table.columns.findIndex((column) => column.name === kinds.column);
  if (unit === -1 || type === -1 || table.columns[unit]!.optional !== true) return table;
  const units = table.values[type]!.map((name) => kinds.unitOf(name as string) ?? null);
  return { ...table, values: table.values.map((values, index) => (index === unit ? units : values)) };
}
