import { currentSnapshot, isLakeError, resolveSnapshot, type Snapshot, type Table } from "@firn/lake";
import { Problem } from "@firn/service";
import type { Parameters } from "../parameters/parse-parameters.ts";
import type { TableCache } from "../tables/table-cache.ts";
import type { QuestionPlan } from "./question-plan.ts";

/** The table, and the snapshot of it that a question is answered from; undefined: it had none then. */
export interface ChosenSnapshot {
  readonly table: Table;
  readonly snapshot: Snapshot | undefined;
  /** False when the question is about the past. */
  readonly isNewest: boolean;
}

/**
 * The snapshot that a page continues, that `snapshot_id` or `as_of` names, or the newest.
 *
 * @param pin of the page before
 */
export async function chooseSnapshot(
  tables: TableCache,
  plan: QuestionPlan,
  parameters: Parameters,
  pin: bigint | undefined,
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
    throw unknownSnapshot(field, `snapshot ${asked} is not in table ${plan.table.name}, or has expired`);
  }
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

function unknownSnapshot(field: string, message: string): Problem {
  return new Problem(400, "unknown_snapshot", message, { errors: [{ field, rule: "known_snapshot", message }] });
}
