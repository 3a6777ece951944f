/**
 * What a round of the aggregator does to a rollup's table: rows that it upserts and deletes by key, or whole new files
 * that the aggregator has laid out as the table does.
 */
import { type RollupChange, type RollupDefinition, stagedFiles, type StagedRows } from "@firn/core";
import {
  currentFiles,
  decodeDataFiles,
  isLakeError,
  type KernelConnection,
  type LakeEnvironment,
  type SnapshotChange,
  sqlName,
  sqlStringList,
  stageUpsert,
  type Table,
} from "@firn/lake";

export interface StageRollupOptions {
  readonly env: LakeEnvironment;
  readonly table: Table;
  readonly rollup: RollupDefinition;
  readonly change: RollupChange;
}

export interface StagedRollupChange {
  readonly snapshot: SnapshotChange;
  /** Rows that were there before and are changed or gone; 0 where the whole table is made anew. */
  readonly published: number;
}

/** Stages what the change, whose files are all there, does to the table. */
export async function stageRollupChange(
  connection: KernelConnection,
  options: StageRollupOptions,
): Promise<StagedRollupChange> {
  const { env, table, change } = options;
  if (change.whole) return { snapshot: await replaceAll(env, table, change.whole), published: 0 };
  if (change.upserts.length === 0 && change.deletes.length === 0)
    return { snapshot: { operation: "append", addedData: [] }, published: 0 };
  return upsertRows(connection, options);
}

async function upsertRows(
  connection: KernelConnection,
  { env, table, rollup, change }: StageRollupOptions,
): Promise<StagedRollupChange> {
  const deletes = change.deletes.length > 0 ? { deleteKeysSql: await rowsSql(env, change.deletes) } : {};
  const nothing = rollup.table.columns.map((column) => `NULL AS ${sqlName(column.name)}`).join(", ");
  const upsert = await stageUpsert(connection, {
    env,
    table,
    rowsSql: change.upserts.length > 0 ? await rowsSql(env, change.upserts) : `SELECT ${nothing} WHERE false`,
    ...deletes,
    keyColumns: rollup.table.identity,
    sort: rollup.table.sort,
  });
  const onlyNew = upsert.addedDeletes.length === 0 && upsert.removedData.length === 0;
  const { addedData, addedDeletes, removedData, removedDeletes, updated, deleted } = upsert;
  const files = { addedData, addedDeletes, removedData, removedDeletes };
  return { snapshot: { operation: onlyNew ? "append" : "overwrite", ...files }, published: updated + deleted };
}

async function rowsSql({ store }: LakeEnvironment, staged: readonly StagedRows[]): Promise<string> {
  const paths = await Promise.all(staged.map((file) => store.localPath(file.location, file.bytes)));
  return `SELECT * FROM read_parquet(${sqlStringList(paths)})`;
}

/** The new files take the place of all that the table has now: merging may have moved its rows since, not changed them. */
async function replaceAll(env: LakeEnvironment, table: Table, list: StagedRows): Promise<SnapshotChange> {
  const addedData = decodeDataFiles(await env.store.get(list.location));
  const { data, deletes } = await currentFiles(env, table);
  const operation = data.length === 0 ? "append" : "overwrite";
  return { operation, addedData, removedData: data, removedDeletes: deletes };
}

/** The first file that the change needs and the store has not, or not with the bytes that were staged. */
export async function findMissing(store: LakeEnvironment["store"], change: RollupChange): Promise<string | undefined> {
  const isThere = async (location: string, bytes: number) => (await store.stat(location))?.sizeBytes === bytes;
  for (const { location, bytes } of stagedFiles(change))
    if (!(await isThere(location, bytes)) || (await isDamaged(store, location, bytes))) return location;
  if (!change.whole) return undefined;
  for (const { filePath, fileSizeBytes } of decodeDataFiles(await store.get(change.whole.location)))
    if (!(await isThere(filePath, fileSizeBytes))) return filePath;
  return undefined;
}

/** Whether it has other bytes than its name says; it is read soon anyway. */
async function isDamaged(store: LakeEnvironment["store"], location: string, bytes: number): Promise<boolean> {
  try {
    await store.localPath(location, bytes);
    return false;
  } catch (error) {
    if (isLakeError(error, "corrupt")) return true;
    throw error;
  }
}
