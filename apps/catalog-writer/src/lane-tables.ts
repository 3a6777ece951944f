/**
 * The tables of a lane of rollups, which others may drop, replace or change at any time. They are derived: one that is gone
 * is made anew, and the aggregator fills it.
 */
import type { Dataset, RollupLane } from "@firn/core";
import { isLakeError, type LakeEnvironment, type Table } from "@firn/lake";
import type { Logger } from "@firn/service";
import { setTimeout as sleep } from "node:timers/promises";
import type { KnownTables } from "./known-tables.ts";
import { missingColumns } from "./tables.ts";

const lookAgainDefaultMs = 5_000;

export interface LaneTablesParts {
  readonly env: LakeEnvironment;
  readonly dataset: Dataset;
  readonly lane: RollupLane;
  readonly known: KnownTables;
  readonly logger: Logger;
  /** How often the tables are looked at while no round comes, in milliseconds. */
  readonly lookAgainMs?: number;
}

/**
 * The name of a rollup's table that is gone while raw is too: somebody dropped the lake's tables, and it decides to have
 * them anew. Undefined where that is not so.
 */
export async function goneWithRaw({ dataset, known, lane }: LaneTablesParts): Promise<string | undefined> {
  if ((await known.state(dataset.raw)).kind !== "missing") return undefined;
  for (const { table } of lane.rollups) if ((await known.state(table)).kind === "missing") return table.name;
  return undefined;
}

/** The rollups' tables in order; one that is gone is made anew. */
export async function findTables({ known, lane, logger }: LaneTablesParts): Promise<Table[]> {
  const tables: Table[] = [];
  for (const { table: definition } of lane.rollups) {
    const state = await known.state(definition);
    if (state.kind !== "known")
      logger.warn("an aggregate's table is not the one that was made: its rows come from raw again", {
        table: definition.name,
        found: state.kind,
      });
    const table = state.kind === "missing" ? await known.findOrMake(definition) : state.table;
    if (state.kind !== "known") await known.remember(definition, table);
    tables.push(table);
  }
  return tables;
}

/** Why a table cannot be a rollup's; undefined where all can. */
export function whyForeign(lane: RollupLane, tables: readonly Table[]): string | undefined {
  for (const [at, { table: definition }] of lane.rollups.entries()) {
    const missing = missingColumns(definition, tables[at]!.metadata);
    if (missing.length > 0) return `table ${definition.name} is not the lake's: it has no ${missing.join(", ")}`;
  }
  return undefined;
}

/** Resolves when a table is gone or another one has its name, or at the signal. */
export async function untilOthersChange(
  { env, lookAgainMs = lookAgainDefaultMs }: LaneTablesParts,
  tables: readonly Table[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
    for (const { identifier, metadata } of tables) {
      if (signal.aborted) return;
      try {
        const loaded = await env.catalog.loadTable(identifier, { snapshots: "refs" });
        if (loaded !== "unchanged" && loaded.metadata["table-uuid"] !== metadata["table-uuid"]) return;
      } catch (error) {
        if (isLakeError(error, "not_found")) return;
        if (!isLakeError(error)) throw error;
      }
    }
  }
}
