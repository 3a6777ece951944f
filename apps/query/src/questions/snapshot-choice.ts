import type { Parameters, QuestionPlan, TableDefinition } from "@firn/core";
import { currentSnapshot, isLakeError, resolveSnapshot, snapshotById, type Snapshot, type Table } from "@firn/lake";
import { Problem } from "@firn/service";
import type { TableCache } from "../tables/table-cache.ts";

/** The table, and the snapshot of it that a question is answered from; undefined: it had none then. */
export interface ChosenSnapshot {
  readonly table: Table;
  readonly snapshot: Snapshot | undefined;
  /** False when the question is about the past. */
  readonly isNewest: boolean;
}

/** What a question says of the time that it is about. */
export interface AskedTime {
  readonly parameters: Parameters;
  /** Snapshot of the page before. */
  readonly pin: bigint | undefined;
  /** When the snapshot that `snapshot_id` names was made, whichever table of the lake has it. */
  readonly snapshotTime: () => Promise<number | undefined>;
}

/**
 * The snapshot that a page continues, that `snapshot_id` or `as_of` names, or the newest. Where an answer is of several
 * tables, `snapshot_id` names a snapshot of one, and the others are read as they were when it was made.
 */
export async function chooseSnapshot(
  tables: TableCache,
  plan: QuestionPlan,
  { parameters, pin, snapshotTime }: AskedTime,
): Promise<ChosenSnapshot> {
  const asOf = parameters["as_of"] as number | bigint | undefined;
  const asked = pin ?? (parameters["snapshot_id"] as bigint | undefined);
  if (asked === undefined && asOf !== undefined) return snapshotAsOf(await tables.load(plan.table, "all"), asOf);
  const table = await tables.load(plan.table);
  const newest = currentSnapshot(table.metadata);
  if (asked === undefined || newest?.["snapshot-id"] === asked) return { table, snapshot: newest, isNewest: true };
  const history = await tables.load(plan.table, "all");
  const field = pin === undefined ? "snapshot_id" : "cursor";
  try {
    return { table: history, snapshot: resolveSnapshot(history.metadata, { snapshotId: asked }), isNewest: false };
  } catch (error) {
    if (!isLakeError(error, "not_found")) throw error;
    const timeMs = pin === undefined ? await snapshotTime() : undefined;
    if (timeMs !== undefined) return snapshotAsOf(history, timeMs * 1000);
    throw unknownSnapshot(field, `snapshot ${asked} is not in table ${plan.table.name}, or has expired`);
  }
}

/** When a snapshot was made (milliseconds since 1970), by whichever of the tables has it; undefined where none has. */
export async function timeOfSnapshot(
  tables: TableCache,
  definitions: readonly TableDefinition[],
  id: bigint,
): Promise<number | undefined> {
  for (const definition of definitions) {
    try {
      const { metadata } = await tables.load(definition, "all");
      const found = snapshotById(metadata, id);
      if (found !== undefined) return found["timestamp-ms"];
    } catch (error) {
      // A lake need not have all of its tables yet.
      if (!isLakeError(error, "not_found")) throw error;
    }
  }
  return undefined;
}

function snapshotAsOf(table: Table, asOf: number | bigint): ChosenSnapshot {
  const asOfMs = Number(BigInt.asIntN(64, BigInt(asOf)) / 1000n);
  const { metadata } = table;
  try {
    const snapshot = resolveSnapshot(metadata, { asOfMs });
    return { table, snapshot, isNewest: snapshot?.["snapshot-id"] === metadata["current-snapshot-id"] };
  } catch (error) {
    if (!isLakeError(error, "not_found")) throw error;
    if (wasEmptyBefore(table)) return { table, snapshot: undefined, isNewest: false };
    throw unknownSnapshot("as_of", "the table's history does not reach back that far");
  }
}

/** True when the history that is left begins with the table's first snapshot: before it there was nothing. */
function wasEmptyBefore({ metadata }: Table): boolean {
  const [first] = metadata["snapshot-log"];
  if (first === undefined) return metadata.snapshots.length === 0;
  const snapshot = metadata.snapshots.find((one) => one["snapshot-id"] === first["snapshot-id"]);
  return snapshot !== undefined && snapshot["parent-snapshot-id"] === undefined;
}

export function unknownSnapshot(field: string, message: string): Problem {
  return new Problem(400, "unknown_snapshot", message, { errors: [{ field, rule: "known_snapshot", message }] });
}
