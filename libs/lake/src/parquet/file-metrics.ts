import type { DataFile } from "../manifest/data-file.ts";
import { encodeBound, type BoundSide } from "./bound-text.ts";
import { isNested, type IcebergType, type PrimitiveType, type StructField } from "../metadata/schema.ts";
import { sqlName } from "../kernel/sql-text.ts";

/** One file as COPY … RETURN_STATS reports it. */
export interface WrittenFile {
  readonly filename: string;
  readonly count: number;
  readonly file_size_bytes: number;
  readonly column_statistics: readonly {
    /** Quoted path of a leaf column: `"metadata"."key"`. */
    readonly key: string;
    readonly value: readonly { readonly key: string; readonly value: string }[];
  }[];
  readonly partition_keys: readonly { readonly key: string; readonly value: string }[] | null;
}

/** A leaf column of the files that are written. */
export interface LeafColumn {
  readonly id: number;
  readonly type: PrimitiveType;
  readonly required: boolean;
  readonly name: string;
  /** Inside a list or a map: one row has many values or none, so counts of rows and bounds say nothing. */
  readonly repeated: boolean;
}

/** The leaf columns by their path as RETURN_STATS spells it. */
export function leafColumns(columns: readonly StructField[]): Map<string, LeafColumn> {
  const leaves = new Map<string, LeafColumn>();
  const visit = (path: string, name: string, id: number, type: IcebergType, required: boolean, repeated: boolean) => {
    if (!isNested(type)) {
      leaves.set(path, { id, type, required, name, repeated });
    } else if (type.type === "struct") {
      for (const field of type.fields) {
        const inner = required && field.required;
        visit(`${path}.${sqlName(field.name)}`, `${name}.${field.name}`, field.id, field.type, inner, repeated);
      }
    } else if (type.type === "list") {
      visit(`${path}."element"`, `${name}.element`, type["element-id"], type.element, false, true);
    } else {
      visit(`${path}."key"`, `${name}.key`, type["key-id"], type.key, false, true);
      visit(`${path}."value"`, `${name}.value`, type["value-id"], type.value, false, true);
    }
  };
  for (const column of columns)
    visit(sqlName(column.name), column.name, column.id, column.type, column.required, false);
  return leaves;
}

export type FileMetrics = Pick<DataFile, "columnSizes"> &
  Required<Pick<DataFile, "valueCounts" | "nullValueCounts" | "nanValueCounts" | "lowerBounds" | "upperBounds">>;

/**
 * Metrics of a written file for its manifest entry (specification, "Data File Fields"). NaN counts stand only where
 * they are known to be zero: DuckDB tells whether there is a NaN, not how many; its minimum and maximum leave NaN out.
 */
export function fileMetrics(file: WrittenFile, leaves: ReadonlyMap<string, LeafColumn>): FileMetrics {
  const columnSizes = new Map<number, number>();
  const valueCounts = new Map<number, number>();
  const nullValueCounts = new Map<number, number>();
  const nanValueCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const { key, value: statistics } of file.column_statistics) {
    const leaf = leaves.get(key);
    if (leaf === undefined) continue;
    const bound = (side: BoundSide, text: string, into: Map<number, Uint8Array>): void => {
      const bytes = encodeBound(leaf.type, side, text);
      if (bytes !== undefined) into.set(leaf.id, bytes);
    };
    for (const { key: name, value } of statistics) {
      if (name === "column_size_bytes") columnSizes.set(leaf.id, Number(value));
      else if (leaf.repeated) continue;
      else if (name === "num_values") valueCounts.set(leaf.id, Number(value));
      else if (name === "null_count") nullValueCounts.set(leaf.id, Number(value));
      else if (name === "has_nan" && value === "false") nanValueCounts.set(leaf.id, 0);
      else if (name === "min") bound("lower", value, lowerBounds);
      else if (name === "max") bound("upper", value, upperBounds);
    }
  }
  return { columnSizes, valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds };
}
