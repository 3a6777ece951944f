/**
 * A dataset's columns as they are defined now, and the table as it was made before: what is new in the definition joins
 * the table by a commit of its schema, without a stop; what does not fit parks the stage.
 */
import type { ColumnDefinition, TableDefinition } from "@firn/core";
import {
  changeSchema,
  currentSchema,
  definedType,
  evolveSchema,
  isLakeError,
  type IcebergType,
  type LakeEnvironment,
  type SchemaChange,
  type StructField,
  type Table,
  type TableMetadata,
} from "@firn/lake";
import type { TableState } from "./known-tables.ts";
import type { TableProblem } from "./table-problem.ts";

export interface ColumnPlan {
  readonly changes: readonly SchemaChange[];
  /** Why the definition does not fit, a sentence a column. */
  readonly conflicts: readonly string[];
}

/**
 * What makes the table fit. Columns are told apart by name; one that an older schema of the table has was renamed or
 * dropped by somebody, which is left as it is. Columns of the table that are not defined stay, and are null in new rows.
 */
export function planColumns(definition: TableDefinition, metadata: TableMetadata): ColumnPlan {
  const { fields } = currentSchema(metadata);
  const byName = new Map(fields.map((field) => [field.name, field]));
  const there = new Set(byName.keys());
  const known = new Set(metadata.schemas.flatMap((schema) => schema.fields.map((field) => field.name)));
  const changes: SchemaChange[] = [];
  const conflicts: string[] = [];
  for (const [index, column] of definition.columns.entries()) {
    const field = byName.get(column.name);
    if (field !== undefined) planColumn(column, field, changes, conflicts);
    else if (known.has(column.name)) continue;
    else if (column.required) conflicts.push(`${column.name} is new and required, and the rows that are there lack it`);
    else changes.push(addition(column, definition.columns[index - 1]?.name, there));
    there.add(column.name);
  }
  const defined = new Set(definition.columns.map((column) => column.name));
  for (const field of fields) {
    const wanted = field.required && !defined.has(field.name) && !isRenamed(metadata, field, defined);
    if (wanted) conflicts.push(`${field.name} is required in the table and not defined any more`);
  }
  return { changes, conflicts };
}

function addition(
  { name, type, doc }: ColumnDefinition,
  before: string | undefined,
  there: ReadonlySet<string>,
): SchemaChange {
  const position = before !== undefined && there.has(before) ? { after: before } : undefined;
  return {
    kind: "add",
    name,
    type,
    ...(doc === undefined ? {} : { doc }),
    ...(position === undefined ? {} : { position }),
  };
}

function planColumn(column: ColumnDefinition, field: StructField, changes: SchemaChange[], conflicts: string[]): void {
  const wanted = definedType(column.type);
  if (!sameType(wanted, field.type)) {
    if (isWidening(field.type, wanted)) changes.push({ kind: "widen", column: column.name, type: column.type });
    // Somebody widened the table before: what is defined fits into it.
    else if (!isWidening(wanted, field.type)) {
      conflicts.push(`${column.name} is ${typeText(field.type)} in the table and defined as ${column.type}`);
    }
  }
  if (field.required && !column.required) changes.push({ kind: "make-optional", column: column.name });
}

function isRenamed({ schemas }: TableMetadata, field: StructField, defined: ReadonlySet<string>): boolean {
  return schemas.some((schema) => schema.fields.some((other) => other.id === field.id && defined.has(other.name)));
}

/** Ids inside of nested types are the table's own. */
function sameType(one: IcebergType, other: IcebergType): boolean {
  return typeText(one) === typeText(other);
}

function typeText(type: IcebergType): string {
  if (typeof type === "string") return type.replaceAll(" ", "");
  // Keys in order: catalogs write the parts of a type in orders of their own.
  const text = JSON.stringify(type, (key, value: unknown) => {
    if (key === "id" || key.endsWith("-id")) return undefined;
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
  return text.replaceAll(" ", "");
}

const WIDENINGS: Readonly<Record<string, string>> = { int: "long", float: "double" };

function isWidening(from: IcebergType, to: IcebergType): boolean {
  return typeof from === "string" && typeof to === "string" && WIDENINGS[from] === to;
}

/**
 * Brings the table to the definition. Repeatable; a twin that does the same at the same time does no harm.
 * @param what the stage's name, as `firn resume` takes it
 * @returns why the stage must stand still; undefined when the table fits
 */
export async function alignColumns(
  env: LakeEnvironment,
  state: TableState,
  definition: TableDefinition,
  what: string,
): Promise<TableProblem | undefined> {
  if (state.kind === "missing") return undefined;
  const { table } = state;
  const plan = planColumns(definition, table.metadata);
  if (plan.conflicts.length > 0) return refusal(definition, what, plan.conflicts.join("; "));
  if (plan.changes.length === 0) return undefined;
  try {
    evolveSchema(table.metadata, plan.changes);
  } catch (error) {
    if (isLakeError(error, "invalid")) return refusal(definition, what, error.message);
    throw error;
  }
  await commitMissing(env, table, definition);
  return undefined;
}

/** Planned again where another commit came between: what a twin has added is not added twice. */
async function commitMissing(env: LakeEnvironment, table: Table, definition: TableDefinition): Promise<void> {
  try {
    await changeSchema(env, table, planColumns(definition, table.metadata).changes);
  } catch (error) {
    if (!isLakeError(error, "invalid")) throw error;
    const { metadata } = await env.catalog.loadTable(table.identifier);
    if (planColumns(definition, metadata).changes.length > 0) throw error;
  }
}

function refusal(definition: TableDefinition, what: string, why: string): TableProblem {
  const name = `${definition.namespace}.${definition.name}`;
  return {
    reason: `table ${name} does not fit the dataset's definition: ${why}`,
    fix: `take the definition back, or change the table by hand and then: firn resume ${what} --accept-loss`,
    acceptLossAfter: 0,
    canGoOn: false,
  };
}
