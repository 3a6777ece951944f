import type { ColumnDefinition, TableDefinition } from "@firn/core";
import {
  currentSchema,
  defaultSpec,
  fieldById,
  isNested,
  type IcebergType,
  type Schema,
  type StructField,
  type TableMetadata,
} from "@firn/lake";

/** One line of `firn check`: what was looked at, and what to do when it is not as it should be. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  readonly fix: string | null;
}

/** Compares a table with its definition: columns, identity, partitions. */
export function checkTable(subject: string, definition: TableDefinition, metadata: TableMetadata): readonly Check[] {
  const schema = currentSchema(metadata);
  return [
    checkColumns(subject, definition, schema),
    checkIdentity(subject, definition, schema),
    checkPartitions(subject, definition, metadata),
  ];
}

function checkColumns(subject: string, definition: TableDefinition, schema: Schema): Check {
  const problems = definition.columns.flatMap((column) => columnProblem(column, schema.fields));
  const extra =
    schema.fields.length - definition.columns.length + problems.filter((each) => each.endsWith("missing")).length;
  const more = extra > 0 ? ` and ${extra} more` : "";
  return {
    name: `${subject}, columns`,
    ok: problems.length === 0,
    message: problems.length === 0 ? `${definition.columns.length} as declared${more}` : problems.join("; "),
    fix: problems.length === 0 ? null : "another program has changed the schema: add or rename the columns back",
  };
}

function columnProblem(column: ColumnDefinition, fields: readonly StructField[]): readonly string[] {
  const field = fields.find((each) => each.name === column.name);
  if (field === undefined) return [`${column.name} is missing`];
  const type = typeText(field.type);
  if (type !== column.type) return [`${column.name} is ${type}, not ${column.type}`];
  if (field.required !== column.required) return [`${column.name} is ${field.required ? "required" : "optional"}`];
  return [];
}

function typeText(type: IcebergType): string {
  if (!isNested(type)) return type;
  if (type.type === "map") return `map<${typeText(type.key)},${typeText(type.value)}>`;
  if (type.type === "list") return `list<${typeText(type.element)}>`;
  return "struct";
}

function checkIdentity(subject: string, definition: TableDefinition, schema: Schema): Check {
  const names = (schema["identifier-field-ids"] ?? []).map((id) => fieldById(schema, id)?.field.name ?? `field ${id}`);
  const ok = sameSet(names, definition.identity);
  return {
    name: `${subject}, identity`,
    ok,
    message: ok ? names.join(", ") : `is (${names.join(", ")}), declared is (${definition.identity.join(", ")})`,
    fix: ok ? null : "set identifier-field-ids to the declared columns",
  };
}

function checkPartitions(subject: string, definition: TableDefinition, metadata: TableMetadata): Check {
  const schema = currentSchema(metadata);
  const now = defaultSpec(metadata).fields.map((field) =>
    partitionText(fieldById(schema, field["source-id"])?.field.name ?? "?", field.transform),
  );
  const declared = definition.partition.map(({ source, transform }) => partitionText(source, transform));
  const ok = now.map(withoutWidth).join() === declared.map(withoutWidth).join();
  return {
    name: `${subject}, partitions`,
    ok,
    message: ok ? now.join(", ") || "none" : `are (${now.join(", ")}), declared are (${declared.join(", ")})`,
    fix: ok ? null : "the table was made with other settings (FIRN_AGG_PARTITIONING) or its partitioning has evolved",
  };
}

function partitionText(source: string, transform: string): string {
  return transform === "identity" ? source : `${transform}(${source})`;
}

/** How many buckets, and how wide: a site's own choice. */
function withoutWidth(text: string): string {
  return text.replace(/\[\d+\]/, "");
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each) => right.includes(each));
}
