/**
 * Where a row lies, as a text that the key index keeps and `candidatePredicate` turns back into a condition: a JSON array
 * with one value a locating field of the table's definition. Values are partition values (Iceberg specification,
 * "Partition Transforms"); whole numbers and instants that are identities stand as texts, so that no digit is lost.
 */
import { columnTypeOf, type ColumnType, type PartitionFieldDefinition, type TableDefinition } from "@firn/core";
import { definedType, parseTransform, partitionExpression, type PrimitiveType, sqlName } from "@firn/lake";

/** The value of a locating field, as it stands in a partition's name. */
export type LocatingValue = string | number | boolean | null;

/** SQL of the name of the partition that a row is in. */
export function partitionNameSql(definition: TableDefinition): string {
  return nameOfValuesSql(definition, partitionValuesSql(definition));
}

/** SQL of the values of the locating fields of a row; comparing them is cheaper than comparing names. */
export function partitionValuesSql(definition: TableDefinition): string[] {
  return locatingFields(definition).map((field) =>
    partitionExpression(
      parseTransform(field.transform),
      definedType(columnTypeOf(definition, field.source)) as PrimitiveType,
      sqlName(field.source),
    ),
  );
}

/** SQL of the partition's name from these values. */
export function nameOfValuesSql(definition: TableDefinition, values: readonly string[]): string {
  const parts = locatingFields(definition).map((field, at) => {
    const type = columnTypeOf(definition, field.source);
    return `coalesce(CAST(to_json(${nameValueSql(field, type, values[at]!)}) AS VARCHAR), 'null')`;
  });
  if (parts.length === 0) return "'[]'";
  return `concat('[', ${parts.join(", ',', ")}, ']')`;
}

function nameValueSql({ transform }: PartitionFieldDefinition, type: ColumnType, value: string): string {
  if (transform === "identity" && type === "date") return `(${value} - DATE '1970-01-01')`;
  if (transform === "identity" && type === "timestamptz") return `CAST(epoch_us(${value}) AS VARCHAR)`;
  return type === "long" ? `CAST(${value} AS VARCHAR)` : value;
}

/**
 * The partition fields whose value says which rows they hold: all but buckets, and identities of floating numbers, whose
 * texts do not compare.
 */
export function locatingFields(definition: TableDefinition): PartitionFieldDefinition[] {
  return definition.partition.filter(({ source, transform }) => {
    if (transform.startsWith("bucket")) return false;
    const type = columnTypeOf(definition, source);
    return type !== "double" && type !== "float";
  });
}
