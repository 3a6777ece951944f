/**
 * Brings the key index to a table's snapshot: by the rows of the snapshots since, else from the whole table.
 */
import {
  type KernelConnection,
  type LakeEnvironment,
  planChanges,
  planScan,
  scanSql,
  type ScanPlan,
  type Snapshot,
  snapshotById,
  type Table,
} from "@firn/lake";
import type { KeyIndex } from "./key-index/key-index.ts";
import { keyColumns, type KeyShape, readKeys } from "./keyed-rows.ts";
import type { BatchKeys } from "./resolve.ts";

/** Files are read in groups of about this many rows, so that memory does not grow with the table. */
const rowsPerGroup = 500_000;

/**
 * @param snapshot undefined: the table before its first one
 * @throws LakeError when files that the snapshot needs cannot be read
 */
export async function catchUpIndex(
  env: LakeEnvironment,
  connection: KernelConnection,
  table: Table,
  shape: KeyShape,
  index: KeyIndex,
  snapshot: Snapshot | undefined,
): Promise<"current" | "rolled_forward" | "rebuilt"> {
  const tableUuid = table.metadata["table-uuid"];
  const snapshotId = snapshot ? String(snapshot["snapshot-id"]) : "";
  const state = index.state();
  const usable = state?.whole === true && state.tableUuid === tableUuid;
  if (usable && state.snapshotId === snapshotId) return "current";
  if (usable && snapshot && state.snapshotId !== "") {
    const from = snapshotById(table.metadata, BigInt(state.snapshotId));
    if (from && (await rollForward(env, connection, table, shape, index, from, snapshot)) === "done") {
      await index.apply(undefined, { tableUuid, snapshotId });
      return "rolled_forward";
    }
  }
  await index.clear(tableUuid);
  if (snapshot)
    await putRows(env, connection, await planScan({ env, table, snapshotId: snapshot["snapshot-id"] }), shape, index);
  await index.apply(undefined, { tableUuid, snapshotId });
  return "rebuilt";
}

/** Takes out what went since `from` and puts in every live row of the files that came since. */
async function rollForward(
  env: LakeEnvironment,
  connection: KernelConnection,
  table: Table,
  shape: KeyShape,
  index: KeyIndex,
  from: Snapshot,
  to: Snapshot,
): Promise<"done" | "not_possible"> {
  const snapshotId = to["snapshot-id"];
  const changes = await planChanges(env, table, from["snapshot-id"], snapshotId);
  if (changes === undefined) return "not_possible";
  const columns = keyColumns(shape);
  for (const [gone, rows] of [
    [changes.removed, "live"],
    [changes.deleted, "deleted"],
  ] as const)
    if (gone.tasks.length > 0)
      await removeRows(connection, await scanSql(gone, { columns, store: env.store, rows }), shape, index);
  const plan = await planScan({ env, table, snapshotId });
  const added = plan.tasks.filter((task) => task.file.sequenceNumber > from["sequence-number"]);
  await putRows(env, connection, { ...plan, tasks: added }, shape, index);
  return "done";
}

async function putRows(
  env: LakeEnvironment,
  connection: KernelConnection,
  plan: ScanPlan,
  shape: KeyShape,
  index: KeyIndex,
): Promise<void> {
  for (const tasks of groups(plan.tasks)) {
    const sql = await scanSql({ ...plan, tasks }, { columns: keyColumns(shape), store: env.store });
    await applyRows(index, await keysOfSql(connection, sql, shape, index), false);
  }
}

async function removeRows(connection: KernelConnection, sql: string, shape: KeyShape, index: KeyIndex): Promise<void> {
  await applyRows(index, await keysOfSql(connection, sql, shape, index), true);
}

async function keysOfSql(
  connection: KernelConnection,
  sql: string,
  shape: KeyShape,
  index: KeyIndex,
): Promise<BatchKeys> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE index_rows AS ${sql}`);
  try {
    return await readKeys(connection, shape, index, "index_rows", "0");
  } finally {
    await connection.run("DROP TABLE index_rows");
  }
}

async function applyRows(index: KeyIndex, keys: BatchKeys, removes: boolean): Promise<void> {
  const rows = Int32Array.from({ length: keys.rows }, (_, row) => row);
  await index.applyPart({ keys, rows, removes: () => removes });
}

function* groups(tasks: ScanPlan["tasks"]): Generator<ScanPlan["tasks"][number][]> {
  let group: ScanPlan["tasks"][number][] = [];
  let rows = 0;
  for (const task of tasks) {
    group.push(task);
    rows += task.file.recordCount;
    if (rows < rowsPerGroup) continue;
    yield group;
    group = [];
    rows = 0;
  }
  if (group.length > 0) yield group;
}
