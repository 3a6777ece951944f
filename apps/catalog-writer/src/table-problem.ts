/**
 * Why a table of rows is not what the lake has written: gone, another one, or rolled back. Such a table stands still:
 * rows that were acknowledged are missing from it, and only a person can say whether they come back.
 */
import {
  identityProperty,
  NewerFormat,
  parsePositions,
  positionEntry,
  refuseNewerState,
  type TableDefinition,
} from "@firn/core";
import { newestSummaryEntry, type TableMetadata } from "@firn/lake";
import type { TableState } from "./known-tables.ts";
import type { PositionProblem } from "./resume-position.ts";
import { missingColumns } from "./tables.ts";

export interface TableProblem extends PositionProblem {
  /** False where even an order cannot make the table that is there the lake's. */
  readonly canGoOn: boolean;
}

/** The stream that the table's positions are in, as it is now. */
export interface PositionPlace {
  readonly stream: string;
  readonly identity: string;
  readonly subjects: readonly string[];
}

/** @param what the stage's name, as `firn resume` takes it */
export function planTable(
  state: TableState,
  definition: TableDefinition,
  place: PositionPlace,
  what: string,
): TableProblem | undefined {
  const name = `${definition.namespace}.${definition.name}`;
  if (state.kind === "missing")
    return {
      reason: `table ${name} is gone, though the lake has made it`,
      fix: `restore it in the catalog, or go on with a new one and without its rows: firn resume ${what} --accept-loss`,
      acceptLossAfter: 0,
      canGoOn: true,
    };
  const { metadata } = state.table;
  const newer = newerState(metadata);
  if (newer) return { reason: `table ${name}: ${newer.message}`, fix: newer.fix, acceptLossAfter: 0, canGoOn: false };
  if (state.kind === "known") return planRollback(metadata, name, place, what);
  const reason = `table ${name} is another one than the lake has made: its uuid is ${metadata["table-uuid"]}`;
  const missing = missingColumns(definition, metadata);
  if (missing.length > 0)
    return {
      reason: `${reason}, and it has no ${missing.join(", ")}`,
      fix: `restore the table, or drop the one that is there and go on with a new one: firn resume ${what} --accept-loss`,
      acceptLossAfter: 0,
      canGoOn: false,
    };
  return {
    reason,
    fix: `restore the table, or go on with the one that is there: firn resume ${what} --accept-loss`,
    acceptLossAfter: 0,
    canGoOn: true,
  };
}

/** What a newer release has written into the table's properties; undefined where this one knows it. */
export function newerState({ properties }: TableMetadata): NewerFormat | undefined {
  try {
    refuseNewerState(properties);
    return undefined;
  } catch (error) {
    if (error instanceof NewerFormat) return error;
    throw error;
  }
}

/** The position stands in properties, which survive a rollback, and in the summary of the snapshot that moved to it. */
function planRollback(
  metadata: TableMetadata,
  name: string,
  place: PositionPlace,
  what: string,
): TableProblem | undefined {
  const positions = parsePositions(metadata.properties, place.stream);
  const position = Math.min(...place.subjects.map((subject) => positions.get(subject) ?? 0));
  if (position === 0) return undefined;
  const newest = newestSummaryEntry(metadata, positionEntry);
  const left = metadata.snapshots.findLast((one) => one.summary?.[positionEntry] === String(position));
  if (newest.kind === "gone" && left === undefined) return undefined;
  const reached = newest.kind === "found" ? Number(newest.value) : 0;
  if (reached >= position) return undefined;
  const back = left === undefined ? "set main to a snapshot with them" : `set main to snapshot ${left["snapshot-id"]}`;
  return {
    reason: `table ${name} was rolled back: it was at position ${position}, and its snapshot is at ${reached}`,
    fix: `${back}, or go on without the rows that went: firn resume ${what} --accept-loss (or --from N)`,
    // Of a stream that was made anew everything is taken.
    acceptLossAfter: metadata.properties[identityProperty(place.stream)] === place.identity ? reached : 0,
    canGoOn: true,
  };
}
