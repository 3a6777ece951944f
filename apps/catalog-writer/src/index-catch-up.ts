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

/**
 * Rows whose keys are in memory at once. Files are read in groups of about as many, and larger ones in slices, so that
 * memory grows neither with the table nor with its files.
 */
const rowsAtOnceDefault = 500_000;

/**
 * @param snapshot undefined: the table before its first one
 * @param rowsAtOnce rows that are taken in together
 * @throws LakeError when files that the snapshot needs cannot be read
 */
export async function catchUpIndex(
  env: LakeEnvironment,
  connection: KernelConnection,
  table: Table,
  shape: KeyShape,
  index: KeyIndex,
  snapshot: Snapshot | undefined,
  rowsAtOnce = rowsAtOnceDefault,
): Promise<"current" | "rolled_forward" | "rebuilt"> {
  const taking: Taking = { env, connection, shape, index, rowsAtOnce };
  const tableUuid = table.metadata["table-uuid"];
  const snapshotId = snapshot ? String(snapshot["snapshot-id"]) : "";
  const state = index.state();
  const usable = state?.whole === true && state.tableUuid === tableUuid;
  if (usable && state.snapshotId === snapshotId) return "current";
  if (usable && snapshot && state.snapshotId !== "") {
    const from = snapshotById(table.metadata, BigInt(state.snapshotId));
    if (from && (await rollForward(taking, table, from, snapshot)) === "done") {
      await index.apply(undefined, { tableUuid, snapshotId });
      return "rolled_forward";
    }
  }
  await index.clear(tableUuid);
  if (snapshot) await putRows(taking, await planScan({ env, table, snapshotId: snapshot["snapshot-id"] }));
  await index.apply(undefined, { tableUuid, snapshotId });
  return "rebuilt";
}

/** What rows are taken into the index with. */
interface Taking {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly shape: KeyShape;
  readonly index: KeyIndex;
  readonly rowsAtOnce: number;
}

/** Takes out what went since `from` and puts in every live row of the files that came since. */
async function rollForward(
  taking: Taking,
  table: Table,
  from: Snapshot,
  to: Snapshot,
): Promise<"done" | "not_possible"> {
  const { env } = taking;
  const snapshotId = to["snapshot-id"];
  const changes = await planChanges(env, table, from["snapshot-id"], snapshotId);
  if (changes === undefined) return "not_possible";
  await removeRows(taking, changes.removed, "live");
  await removeRows(taking, changes.deleted, "deleted");
  const plan = await planScan({ env, table, snapshotId });
  const added = plan.tasks.filter((task) => task.file.sequenceNumber > from["sequence-number"]);
  await putRows(taking, { ...plan, tasks: added });
  return "done";
}

async function putRows(taking: Taking, plan: ScanPlan): Promise<void> {
  for await (const keys of keysOfPlan(taking, plan, "live")) await applyRows(taking.index, keys, false);
}

async function removeRows(taking: Taking, plan: ScanPlan, rows: "live" | "deleted"): Promise<void> {
  for await (const keys of keysOfPlan(taking, plan, rows)) await applyRows(taking.index, keys, true);
}

async function* keysOfPlan(
  { env, connection, shape, index, rowsAtOnce }: Taking,
  plan: ScanPlan,
  rows: "live" | "deleted",
): AsyncGenerator<BatchKeys> {
  for (const tasks of groups(plan.tasks, rowsAtOnce)) {
    const sql = await scanSql({ ...plan, tasks }, { columns: keyColumns(shape), store: env.store, rows });
    await connection.run(`CREATE OR REPLACE TEMP TABLE index_rows AS ${sql}`);
    try {
      const count = (await connection.value<number>("SELECT count(*) FROM index_rows")) ?? 0;
      for (let from = 0; from < count; from += rowsAtOnce) {
        const slice = `(SELECT * FROM index_rows WHERE rowid >= ${from} AND rowid < ${from + rowsAtOnce})`;
        yield await readKeys(connection, shape, index, count <= rowsAtOnce ? "index_rows" : slice, "0");
      }
    } finally {
      await connection.run("DROP TABLE index_rows");
    }
  }
}

async function applyRows(index: KeyIndex, keys: BatchKeys, removes: boolean): Promise<void> {
  const rows = Int32Array.from({ length: keys.rows }, (_, row) => row);
  await index.applyPart({ keys, rows, removes: () => removes });
}

function* groups(tasks: ScanPlan["tasks"], rowsAtOnce: number): Generator<ScanPlan["tasks"][number][]> {
  let group: ScanPlan["tasks"][number][] = [];
  let rows = 0;
  for (const task of tasks) {
    group.push(task);
    rows += task.file.recordCount;
    if (rows < rowsAtOnce) continue;
    yield group;
    group = [];
    rows = 0;
  }
  if (group.length > 0) yield group;
}
