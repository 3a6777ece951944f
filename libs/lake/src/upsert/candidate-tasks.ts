import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import type { Literal } from "../scan/predicate.ts";
import { compareLiterals } from "../manifest/compare-literals.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import { columnByName, isNested } from "../metadata/schema.ts";
import { currentSchema } from "../metadata/table-metadata.ts";
import { findPartitions } from "../parquet/partitioned-relation.ts";
import { writeLayout } from "../parquet/write-layout.ts";
import { fileFilter, rangeOfColumn, type FileFilter } from "../scan/file-filter.ts";
import type { ScanTask } from "../scan/scan-plan.ts";
import { partitionKey } from "../transform/bound-spec.ts";
import { dropTables, type KeyTable } from "./key-table.ts";
import type { StageUpsertOptions } from "./stage-upsert.ts";

/** The tasks whose files may hold a row of one of the keys. */
export async function candidateTasks(
  connection: KernelConnection,
  options: StageUpsertOptions,
  keys: KeyTable,
  tasks: readonly ScanTask[],
): Promise<ScanTask[]> {
  if (tasks.length === 0) return [];
  const mayHoldKeys = await keyBoundsFilter(connection, options, keys);
  const inPartition = await partitionMatcher(connection, options, keys);
  return tasks.filter(({ file }) => mayHoldKeys(file) && inPartition(file));
}

async function partitionMatcher(
  connection: KernelConnection,
  options: StageUpsertOptions,
  keys: KeyTable,
): Promise<FileFilter> {
  const { table, keyColumns, candidates } = options;
  const schema = currentSchema(table.metadata);
  const layout = writeLayout(table);
  const { fields, specId } = layout.spec;
  const keyIds = new Set(keyColumns.map((name) => columnByName(schema, name)?.id));
  const followsFromKeys = fields.every((field) => field.transform.kind === "void" || keyIds.has(field.sourceId));
  if (fields.length === 0 || (!followsFromKeys && candidates === undefined)) return () => true;
  // When the keys decide the partition, deleted keys have theirs too; else only the new rows do.
  const relation = sqlName(followsFromKeys ? keys.keys : keys.newRows);
  const found = await findPartitions(connection, { layout, relation, scratch: `${keys.keys}_candidates` });
  await dropTables(connection, found.temporary);
  const partitions = new Set(found.partitions.map((partition) => partitionKey(layout.spec, partition)));
  const isCandidate = candidates === undefined ? () => false : fileFilter(table.metadata, schema, candidates);
  return (file) =>
    (file.specId === specId ? partitions.has(partitionKey(layout.spec, file.partition)) : candidates === undefined) ||
    isCandidate(file);
}

/** Leaves out files whose bounds of a key column lie beside those of all keys. */
async function keyBoundsFilter(
  connection: KernelConnection,
  { table, keyColumns }: StageUpsertOptions,
  keys: KeyTable,
): Promise<FileFilter> {
  const schema = currentSchema(table.metadata);
  const columns = keyColumns.flatMap((name) => {
    const column = columnByName(schema, name);
    // Decimals come from the kernel as doubles, which do not compare with bounds.
    if (column === undefined || isNested(column.type) || decimalType(column.type) !== undefined) return [];
    return [{ id: column.id, type: column.type, name }];
  });
  const selected = columns.map(
    ({ name }, at) => `min(${sqlName(name)}) AS low${at}, max(${sqlName(name)}) AS high${at}`,
  );
  if (selected.length === 0) return () => true;
  const [range] = await connection.rows<Record<string, Literal | null>>(
    `SELECT ${selected.join(", ")} FROM ${sqlName(keys.keys)}`,
  );
  return (file) =>
    columns.every(({ id, type }, at) => {
      const [low, high] = [range![`low${at}`] ?? null, range![`high${at}`] ?? null];
      if (low === null || high === null) return false;
      const { lower, upper, mayHaveValue } = rangeOfColumn(file, id, type);
      if (!mayHaveValue || (upper !== undefined && compareLiterals(upper, low) < 0)) return false;
      return lower === undefined || compareLiterals(lower, high) <= 0;
    });
}
