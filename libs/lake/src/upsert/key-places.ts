import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import type { Partition, PartitionValue } from "../manifest/data-file.ts";
import { filterOfProjected, partitionFilter, type PartitionFilter } from "../manifest/partition-filter.ts";
import { columnByName } from "../metadata/schema.ts";
import { currentSchema } from "../metadata/table-metadata.ts";
import { findPartitions } from "../parquet/partitioned-relation.ts";
import { writeLayout } from "../parquet/write-layout.ts";
import { fileFilter, type FileFilter } from "../scan/file-filter.ts";
import { and, isIn, isNull, or, type Literal, type Predicate } from "../scan/predicate.ts";
import { partitionKey, type BoundSpec } from "../transform/bound-spec.ts";
import { dropTables, type KeyTable } from "./key-table.ts";
import type { StageUpsertOptions } from "./stage-upsert.ts";

/** Where rows of the keys may lie, as far as partitions tell. */
export interface KeyPlaces {
  /** Which manifests and partitions of a spec to look into; undefined: all of them. */
  filterOf(this: void, spec: BoundSpec): PartitionFilter | undefined;
  readonly mayHold: FileFilter;
}

/** Undefined where rows of the keys may lie anywhere. */
export async function keyPlaces(
  connection: KernelConnection,
  options: StageUpsertOptions,
  keys: KeyTable,
): Promise<KeyPlaces | undefined> {
  const { table, keyColumns, candidates } = options;
  const schema = currentSchema(table.metadata);
  const layout = writeLayout(table);
  const { fields, specId } = layout.spec;
  const keyIds = new Set(keyColumns.map((name) => columnByName(schema, name)?.id));
  const followsFromKeys = fields.every((field) => field.transform.kind === "void" || keyIds.has(field.sourceId));
  if (fields.length === 0 || (!followsFromKeys && candidates === undefined)) return undefined;
  // When the keys decide the partition, deleted keys have theirs too; else only the new rows do.
  const relation = sqlName(followsFromKeys ? keys.keys : keys.newRows);
  const found = await findPartitions(connection, { layout, relation, scratch: `${keys.keys}_candidates` });
  await dropTables(connection, found.temporary);
  const partitions = new Set(found.partitions.map((partition) => partitionKey(layout.spec, partition)));
  const byValues = filterOfProjected(valuesOf(layout.spec, found.partitions), layout.spec);
  const isCandidate = candidates === undefined ? () => false : fileFilter(table.metadata, schema, candidates);
  return {
    filterOf(spec) {
      const ofCandidates = candidates && partitionFilter(candidates, spec);
      if (spec.specId !== specId) return ofCandidates;
      return {
        mayMatchManifest: (manifest) =>
          byValues.mayMatchManifest(manifest) || (ofCandidates?.mayMatchManifest(manifest) ?? false),
        mayMatchPartition: (partition) =>
          partitions.has(partitionKey(spec, partition)) || (ofCandidates?.mayMatchPartition(partition) ?? false),
      };
    },
    mayHold: (file) =>
      (file.specId === specId ? partitions.has(partitionKey(layout.spec, file.partition)) : candidates === undefined) ||
      isCandidate(file),
  };
}

/** True of these partitions, and of others made of the same values: enough to leave out manifests. */
function valuesOf({ fields }: BoundSpec, partitions: readonly Partition[]): Predicate {
  return and(
    ...fields
      .filter(({ transform }) => transform.kind !== "void")
      .map(({ name }) => {
        const values = new Set<PartitionValue>(partitions.map((partition) => partition[name] ?? null));
        const literals = [...values].filter((value): value is Literal => value !== null);
        return values.has(null) ? or(isNull(name), isIn(name, literals)) : isIn(name, literals);
      }),
  );
}
