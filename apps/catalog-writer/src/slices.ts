/** How a large batch is cut before it is written, so that sorting and writing need memory for a part of it only. */
import { columnTypeOf, type TableDefinition } from "@firn/core";
import { sqlName, sqlString } from "@firn/lake";
import type { KeyIndex } from "./key-index/key-index.ts";
import { locatingFields } from "./partition-name.ts";
import { type BatchKeys, RowAction } from "./resolve.ts";

/** Rows that are sorted and written at a time, about. */
const rowsPerSlice = 200_000;
/** Partitions that are written at a time, about: each open one costs some hundred kilobytes. */
const partitionsPerSlice = 128;

/** A slice of a batch's new rows: those that meet an SQL condition, or listed one by one. */
export type BatchSlice = { readonly condition: string } | { readonly rows: Int32Array };

/**
 * Cuts the new rows of a batch into slices, each with partitions of its own: by values of a partition field that is a
 * text of the row where there is one (a condition that DuckDB tests as it reads), else row by row.
 */
export function sliceBatch(
  definition: TableDefinition,
  index: Pick<KeyIndex, "partitionName">,
  keys: Pick<BatchKeys, "rows" | "partition">,
  actions: Uint8Array,
): BatchSlice[] {
  const sizes = newRowsByPartition(keys, actions);
  const total = [...sizes.values()].reduce((sum, rows) => sum + rows, 0);
  if (total <= rowsPerSlice && sizes.size <= partitionsPerSlice) return [{ condition: "true" }];
  const fields = locatingFields(definition);
  const at = fields.findIndex(
    ({ source, transform }) => transform === "identity" && columnTypeOf(definition, source) === "string",
  );
  const valueOf = (partition: number): unknown =>
    at < 0 ? partition : (JSON.parse(index.partitionName(partition) ?? "[]") as unknown[])[at];
  const slices = packed(sizes, valueOf);
  if (at < 0) return slices.map((partitions) => ({ rows: rowsOf(keys, actions, partitions as Set<number>) }));
  const column = sqlName(fields[at]!.source);
  return slices.map((values) => {
    const texts = [...values].filter((value) => value !== null).map((value) => sqlString(String(value)));
    const listed = texts.length === 0 ? "false" : `${column} IN (${texts.join(", ")})`;
    return { condition: values.has(null) ? `(${column} IS NULL OR ${listed})` : listed };
  });
}

function newRowsByPartition(keys: Pick<BatchKeys, "rows" | "partition">, actions: Uint8Array): Map<number, number> {
  const sizes = new Map<number, number>();
  for (let row = 0; row < keys.rows; row++) {
    if (actions[row] !== RowAction.append) continue;
    const partition = keys.partition[row]!;
    sizes.set(partition, (sizes.get(partition) ?? 0) + 1);
  }
  return sizes;
}

/** Sets of values, each with as many rows and partitions as a slice may have; a value is never cut. */
function packed(sizes: ReadonlyMap<number, number>, valueOf: (partition: number) => unknown): Set<unknown>[] {
  const counts = new Map<unknown, { rows: number; partitions: number }>();
  for (const [partition, rows] of sizes) {
    const value = valueOf(partition);
    const count = counts.get(value) ?? { rows: 0, partitions: 0 };
    counts.set(value, { rows: count.rows + rows, partitions: count.partitions + 1 });
  }
  const slices: Set<unknown>[] = [];
  let rows = Infinity;
  let partitions = Infinity;
  for (const [value, count] of counts) {
    if (rows + count.rows > rowsPerSlice || partitions + count.partitions > partitionsPerSlice) {
      slices.push(new Set());
      rows = 0;
      partitions = 0;
    }
    slices.at(-1)!.add(value);
    rows += count.rows;
    partitions += count.partitions;
  }
  return slices;
}

function rowsOf(
  keys: Pick<BatchKeys, "rows" | "partition">,
  actions: Uint8Array,
  partitions: ReadonlySet<number>,
): Int32Array {
  const rows: number[] = [];
  for (let row = 0; row < keys.rows; row++)
    if (actions[row] === RowAction.append && partitions.has(keys.partition[row]!)) rows.push(row);
  return Int32Array.from(rows);
}
