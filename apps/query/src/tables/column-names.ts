import type { ColumnDefinition, ColumnType, TableDefinition } from "@firn/core";
import { definedType, duckType, fieldById, sqlName, type Predicate, type Schema } from "@firn/lake";

/**
 * What the columns of a definition are called in a table. A column that somebody renamed is followed by its field id:
 * our tables are made with ids 1, 2, 3 … for the columns in order (libs/core, TableDefinition).
 */
export interface ColumnNames {
  /** The name in the table; undefined when the table has no such column any more. */
  nameOf(column: string): string | undefined;
  /** True when every column still has its own name. */
  readonly unchanged: boolean;
}

export function columnNames(table: TableDefinition, schema: Schema): ColumnNames {
  const names = new Map<string, string>();
  const taken = new Set(table.columns.map((column) => column.name));
  for (const [index, { name }] of table.columns.entries()) {
    if (schema.fields.some((field) => field.name === name)) names.set(name, name);
    else {
      const renamed = fieldById(schema, index + 1)?.field.name;
      if (renamed !== undefined && !taken.has(renamed)) names.set(name, renamed);
    }
  }
  const unchanged = table.columns.every(({ name }) => names.get(name) === name);
  return { nameOf: (column) => names.get(column), unchanged };
}

/** The predicate with the table's own names; a column that is gone is null in every row. */
export function renamePredicate(where: Predicate, names: ColumnNames): Predicate {
  if (names.unchanged) return where;
  if (where.op === "and" || where.op === "or") {
    return { op: where.op, of: where.of.map((part) => renamePredicate(part, names)) };
  }
  const column = names.nameOf(where.column);
  if (column !== undefined) return { ...where, column };
  return { op: where.op === "is_null" ? "and" : "or", of: [] };
}

/** The columns to ask a scan for. */
export function scanColumns(columns: readonly string[], names: ColumnNames): string[] {
  return columns.map((column) => names.nameOf(column)).filter((name) => name !== undefined);
}

/** A SELECT with the names of the definition over one with the names of the table. */
export function renameColumns(
  relation: string,
  table: TableDefinition,
  columns: readonly string[],
  names: ColumnNames,
): string {
  if (names.unchanged) return relation;
  const selected = columns.map((column) => {
    const name = names.nameOf(column);
    return `${name === undefined ? `NULL::${duckType(definedType(typeOf(table, column)))}` : sqlName(name)} AS ${sqlName(column)}`;
  });
  return `SELECT ${selected.join(", ")} FROM (${relation})`;
}

function typeOf(table: TableDefinition, name: string): ColumnType {
  return (table.columns.find((column) => column.name === name) as ColumnDefinition).type;
}
