import type { ColumnDefinition, ColumnType, PartitionFieldDefinition, PartitionTransform } from "@firn/core";

/** Words in which the tables of the datasets are written down. */

export function required(name: string, type: ColumnType, doc?: string): ColumnDefinition {
  return doc === undefined ? { name, type, required: true } : { name, type, required: true, doc };
}

/** A column that may be null. */
export function optional(name: string, type: ColumnType, doc?: string): ColumnDefinition {
  return doc === undefined ? { name, type, required: false } : { name, type, required: false, doc };
}

/** A field of the partitioning: a transform of a column, by Iceberg's names. */
export function partitionField(source: string, transform: PartitionTransform, name: string): PartitionFieldDefinition {
  return { source, transform, name };
}
