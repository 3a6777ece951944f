import { compareLiterals } from "../manifest/compare-literals.ts";
import type { DataFile } from "../manifest/data-file.ts";
import { partitionFilter, type PartitionFilter } from "../manifest/partition-filter.ts";
import { decodeSingleValue } from "../manifest/single-value.ts";
import { isNested, type PrimitiveType, type Schema } from "../metadata/schema.ts";
import { specById, type TableMetadata } from "../metadata/table-metadata.ts";
import { bindSpec } from "../transform/bound-spec.ts";
import { ANY_VALUE, mayMatch, type ValueRange } from "../transform/value-range.ts";
import type { Literal, Predicate } from "./predicate.ts";

/** False when it is certain that no row of the file matches. */
export type FileFilter = (file: DataFile) => boolean;

/** Above this many values `in` is looked up in sorted values instead of being compared one by one. */
const VALUES_COMPARED_MAX = 8;

/** A filter for files by their partition values and column bounds. Column names are those of `schema`. */
export function fileFilter(metadata: TableMetadata, schema: Schema, where: Predicate | undefined): FileFilter {
  if (where === undefined) return () => true;
  const partitionMayMatch = partitionMatcher(metadata, schema, where);
  const boundsMayMatch = compileBounds(schema, where);
  return (file) => partitionMayMatch(file) && boundsMayMatch(file);
}

/** Partition filters of the table's specs, each made when a file first needs it. */
function partitionFilters(
  metadata: TableMetadata,
  schema: Schema,
  where: Predicate,
): (specId: number) => PartitionFilter {
  const schemas = [schema, ...metadata.schemas.filter((other) => other !== schema).reverse()];
  const bySpec = new Map<number, PartitionFilter>();
  return (specId) => {
    const known = bySpec.get(specId);
    if (known !== undefined) return known;
    const filter = partitionFilter(where, bindSpec(specById(metadata, specId), schemas));
    bySpec.set(specId, filter);
    return filter;
  };
}

function partitionMatcher(metadata: TableMetadata, schema: Schema, where: Predicate): FileFilter {
  const filterOf = partitionFilters(metadata, schema, where);
  return (file) => filterOf(file.specId).mayMatchPartition(file.partition);
}

function compileBounds(schema: Schema, where: Predicate): FileFilter {
  if (where.op === "and" || where.op === "or") {
    const parts = where.of.map((part) => compileBounds(schema, part));
    if (where.op === "and") return (file) => parts.every((part) => part(file));
    return (file) => parts.some((part) => part(file));
  }
  const column = schema.fields.find((field) => field.name === where.column);
  if (column === undefined || isNested(column.type)) return () => true;
  const { id, type } = column;
  if (where.op === "in" && where.values.length > VALUES_COMPARED_MAX) {
    const sorted = [...where.values].sort(compareLiterals);
    return (file) => rangeHoldsOne(rangeOfColumn(file, id, type), sorted);
  }
  return (file) => mayMatch(where, () => rangeOfColumn(file, id, type));
}

/** What a file's metrics tell of one column. */
export function rangeOfColumn(file: DataFile, fieldId: number, type: PrimitiveType): ValueRange {
  return new ColumnRange(file, fieldId, type);
}

/** Bounds are read when they are asked for, and once: most files are left out by the first. */
class ColumnRange implements ValueRange {
  readonly #file: DataFile;
  readonly #fieldId: number;
  readonly #type: PrimitiveType;
  #lower: { readonly value: Literal | undefined } | undefined;
  #upper: { readonly value: Literal | undefined } | undefined;

  constructor(file: DataFile, fieldId: number, type: PrimitiveType) {
    this.#file = file;
    this.#fieldId = fieldId;
    this.#type = type;
  }

  get mayHaveNull(): boolean {
    return this.#file.nullValueCounts?.get(this.#fieldId) !== 0;
  }

  get mayHaveValue(): boolean {
    const nulls = this.#file.nullValueCounts?.get(this.#fieldId);
    return nulls === undefined || nulls < this.#file.recordCount;
  }

  get lower(): Literal | undefined {
    this.#lower ??= { value: this.#boundOf(this.#file.lowerBounds) };
    return this.#lower.value;
  }

  get upper(): Literal | undefined {
    this.#upper ??= { value: this.#boundOf(this.#file.upperBounds) };
    return this.#upper.value;
  }

  #boundOf(bounds: ReadonlyMap<number, Uint8Array> | undefined): Literal | undefined {
    // Bounds leave NaN out, and NaN is above every number.
    const isFloating = this.#type === "float" || this.#type === "double";
    if (isFloating && this.#file.nanValueCounts?.get(this.#fieldId) !== 0) return undefined;
    return bound(this.#type, bounds?.get(this.#fieldId));
  }
}

/** A bound that cannot be read prunes nothing. */
function bound(type: PrimitiveType, bytes: Uint8Array | undefined): Literal | undefined {
  if (bytes === undefined) return undefined;
  try {
    return decodeSingleValue(type, bytes);
  } catch {
    return undefined;
  }
}

function rangeHoldsOne(range: ValueRange, sorted: readonly Literal[]): boolean {
  if (!range.mayHaveValue) return false;
  if (range === ANY_VALUE || range.lower === undefined) {
    return range.upper === undefined || compareLiterals(sorted[0]!, range.upper) <= 0;
  }
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareLiterals(sorted[middle]!, range.lower) < 0) from = middle + 1;
    else to = middle;
  }
  if (from === sorted.length) return false;
  return range.upper === undefined || compareLiterals(sorted[from]!, range.upper) <= 0;
}
