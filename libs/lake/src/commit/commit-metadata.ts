import { setTimeout as sleep } from "node:timers/promises";
import { tableName } from "../catalog/catalog.ts";
import { isLakeError, LakeError } from "../lake-error.ts";
import type { TableRequirement } from "../metadata/requirements.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type { TableUpdate } from "../metadata/updates.ts";
import type { LakeEnvironment } from "./environment.ts";
import { loadTable, tableOf, type Table } from "./table.ts";

/** A change of a table that writes no files. */
export interface MetadataPlan {
  /** What must still be so for the change to mean what was meant; the table's uuid is added. */
  readonly requirements: readonly TableRequirement[];
  /** None: the table is as it is wanted. */
  readonly updates: readonly TableUpdate[];
  /** Whether a table shows the change: asked after an answer was lost. */
  readonly isApplied: (metadata: TableMetadata) => boolean;
}

const ATTEMPTS_MAX = 8;
const WAIT_MS = 50;

/**
 * Plans a change on the table as it is and commits it; where another commit came first, plans it again on what that
 * left. An answer that was lost is looked up.
 * @throws LakeError what `plan` throws; `not_found` when the table is gone or another has its name; `conflict`,
 * `unavailable` or `unknown_outcome` when attempts end
 */
export async function commitMetadata(
  env: LakeEnvironment,
  table: Table,
  plan: (metadata: TableMetadata) => MetadataPlan,
): Promise<Table> {
  const { identifier } = table;
  const uuid = table.metadata["table-uuid"];
  let current = table;
  let planned = plan(current.metadata);
  if (planned.updates.length === 0) {
    // The caller's table may be an older one: only the newest says that there is nothing to do.
    current = await loadTable(env, identifier);
    planned = plan(current.metadata);
  }
  for (let attempt = 1; ; attempt++) {
    if (planned.updates.length === 0) return current;
    try {
      const requirements = [{ type: "assert-table-uuid" as const, uuid }, ...planned.requirements];
      return tableOf(identifier, await env.catalog.commitTable(identifier, { requirements, updates: planned.updates }));
    } catch (error) {
      if (!isLakeError(error, "conflict", "unknown_outcome", "unavailable") || attempt >= ATTEMPTS_MAX) throw error;
      await sleep(WAIT_MS * 2 ** (attempt - 1));
      current = await loadTable(env, identifier);
      if (current.metadata["table-uuid"] !== uuid) {
        const name = tableName(identifier);
        throw new LakeError("not_found", `table ${name} was replaced by another of the same name`, { cause: error });
      }
      if (error.kind === "unknown_outcome" && planned.isApplied(current.metadata)) return current;
      planned = plan(current.metadata);
    }
  }
}
