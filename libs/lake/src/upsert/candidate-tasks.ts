import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import type { Literal } from "../scan/predicate.ts";
import { compareLiterals } from "../manifest/compare-literals.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import { columnByName, isNested } from "../metadata/schema.ts";
import { currentSchema } from "../metadata/table-metadata.ts";
import { rangeOfColumn, type FileFilter } from "../scan/file-filter.ts";
import type { ScanTask } from "../scan/scan-plan.ts";
import type { KeyPlaces } from "./key-places.ts";
import type { KeyTable } from "./key-table.ts";
import type { StageUpsertOptions } from "./stage-upsert.ts";

/** The tasks whose files may hold a row of one of the keys. */
export async function candidateTasks(
  connection: KernelConnection,
  options: StageUpsertOptions,
  keys: KeyTable,
  places: KeyPlaces | undefined,
  tasks: readonly ScanTask[],
): Promise<ScanTask[]> {
  if (tasks.length === 0) return [];
  const mayHoldKeys = await keyBoundsFilter(connection, options, keys);
  return tasks.filter(({ file }) => (places?.mayHold(file) ?? true) && mayHoldKeys(file));
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
