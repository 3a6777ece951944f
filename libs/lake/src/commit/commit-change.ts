import { tableName } from "../catalog/catalog.ts";
import { LakeError } from "../lake-error.ts";
import type { LakeEnvironment } from "./environment.ts";
import { postCommit, type PostOptions } from "./post-commit.ts";
import type { SnapshotChange } from "./snapshot-change.ts";
import { stageCommit } from "./stage-commit.ts";
import type { Table } from "./table.ts";

/**
 * Commits one snapshot on the table as it was planned on, and gives the table that came of it.
 * @throws LakeError `conflict` when another commit came first: nothing of it was applied; load the table and plan again
 */
export async function commitChange(
  env: LakeEnvironment,
  table: Table,
  change: SnapshotChange,
  options: PostOptions = {},
): Promise<Table> {
  const posted = await postCommit(env, await stageCommit(env, { table, changes: [change] }), options);
  if (posted.kind === "committed") return posted.table;
  const name = tableName(table.identifier);
  throw new LakeError("conflict", `another commit of ${name} came first`, { context: { table: name } });
}
