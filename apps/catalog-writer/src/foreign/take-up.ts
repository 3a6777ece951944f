/**
 * Takes up what other engines have committed to a table of records: their rows count like ours, of the rows of one
 * identity the latest stays, missing local dates are filled in.
 *
 * Everything is one commit: the snapshot has the entry that every snapshot of ours has, so that what came before it is
 * never looked at again, and the table's properties have the counts. Until then the key index stays at the last
 * snapshot of ours: it says which identities the table had.
 */
import {
  countProperty,
  type CountName,
  foreignReceivedProperty,
  identitiesProperty,
  parseCounts,
  positionEntry,
  takenUpProperty,
} from "@firn/core";
import {
  changesNoRow,
  currentSnapshot,
  type KernelConnection,
  type LakeEnvironment,
  postCommit,
  type SnapshotChange,
  stageCommit,
  type StagedCommit,
  stageUpsert,
  type Table,
} from "@firn/lake";
import { candidatePredicate } from "../candidates.ts";
import { catchUpIndex } from "../index-catch-up.ts";
import type { KeyIndex } from "../key-index/key-index.ts";
import type { KeyShape } from "../keyed-rows.ts";
import { type ForeignFiles, foreignFiles, lastOwnSnapshot } from "./foreign-files.ts";
import { type ForeignFinding, nothingFound, readForeign, repairedRowsSql } from "./foreign-rows.ts";
import type { LocalDateRule } from "./local-dates.ts";

export interface TakeUpOptions extends KeyShape {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly index: KeyIndex;
  readonly localDates?: LocalDateRule;
  /** Of the table in its stream: what the snapshot's entry says. */
  readonly position: number;
}

/**
 * Whether others have changed a table since the last commit of ours. A reader that sees such a table waits: its rows are
 * not what they will be.
 */
export function isTakenUp({ metadata }: Pick<Table, "metadata">): boolean {
  const snapshot = currentSnapshot(metadata);
  return snapshot === undefined || snapshot.summary?.[positionEntry] !== undefined;
}

/**
 * Commits what there is to take up.
 * @returns the table after it; undefined when another commit came first
 */
export async function takeUpForeign(options: TakeUpOptions, table: Table): Promise<Table | undefined> {
  const { env } = options;
  const found = await findForeign(options, table);
  const change = found.repaired > 0 ? await stageRepair(options, table, found) : emptyChange;
  const summary = { [positionEntry]: String(options.position), ...summaryOf(found) };
  const staged: StagedCommit = await stageCommit(env, {
    table,
    changes: [{ ...change, summary }],
    setProperties: propertiesOf(table, found),
  });
  const posted = await postCommit(env, staged);
  return posted.kind === "conflict" ? undefined : posted.table;
}

const emptyChange: SnapshotChange = { operation: "append", addedData: [] };

interface Found extends ForeignFinding {
  readonly files: ForeignFiles | undefined;
  /** Identities in the table afterwards; undefined where nobody has counted them. */
  readonly identitiesAfter: number | undefined;
}

/** What came and went since the last snapshot of ours; where that has expired, the whole table against the key index. */
async function findForeign(options: TakeUpOptions, table: Table): Promise<Found> {
  const { connection, env, index } = options;
  const own = lastOwnSnapshot(table.metadata, changesNoRow);
  const counted = table.metadata.properties[identitiesProperty];
  const before = counted === undefined ? undefined : Number(counted);
  if (own.kind === "found" && !own.changesSince) return { ...nothingFound, files: undefined, identitiesAfter: before };
  if (own.kind !== "expired") {
    const from = own.kind === "found" ? own.snapshot : undefined;
    await catchUpIndex(env, connection, table, options, index, from);
    const files = await foreignFiles(env, table, from);
    const finding = await readForeign(options, files, "changes");
    const { stored, deleted } = finding.outcomes;
    const known = before ?? (own.kind === "none" ? 0 : undefined);
    return { ...finding, files, identitiesAfter: known === undefined ? undefined : known + stored - deleted };
  }
  const state = index.state();
  const isUsable = state?.whole === true && state.tableUuid === table.metadata["table-uuid"];
  if (!isUsable) await index.clear(table.metadata["table-uuid"]);
  const files = await foreignFiles(env, table, undefined);
  const finding = await readForeign(options, files, "everything");
  const outcomes = isUsable ? withDeletions(finding, before) : netOutcomes(finding, before);
  return { ...finding, outcomes, files, identitiesAfter: finding.identities };
}

/** What the table had and has not any more is known by number only. */
function withDeletions({ outcomes, known }: ForeignFinding, before: number | undefined): ForeignFinding["outcomes"] {
  return { ...outcomes, deleted: before === undefined ? 0 : Math.max(0, before - known) };
}

/** Without an index nobody knows which identities are new: only how many more or fewer there are. */
function netOutcomes({ outcomes, identities }: ForeignFinding, before = identities): ForeignFinding["outcomes"] {
  return { ...outcomes, stored: Math.max(0, identities - before), deleted: Math.max(0, before - identities) };
}

async function stageRepair(options: TakeUpOptions, table: Table, found: Found): Promise<SnapshotChange> {
  const { connection, definition, env, identity, index, localDates } = options;
  const upsert = await stageUpsert(connection, {
    env,
    table,
    rowsSql: await repairedRowsSql(env, found.files!.added, localDates?.localDate),
    keyColumns: identity,
    sort: definition.sort,
    candidates: candidatePredicate(definition, index, found.touchedPartitions),
  });
  return { operation: "overwrite", ...upsert };
}

function receivedOf({ outcomes }: Found): number {
  const { stored, corrected, duplicates, deleted } = outcomes;
  return stored + corrected + duplicates + deleted;
}

function summaryOf(found: Found): Record<string, string> {
  return {
    "firn.foreign": String(receivedOf(found)),
    "firn.corrected": String(found.outcomes.corrected),
    "firn.duplicates": String(found.outcomes.duplicates),
  };
}

function propertiesOf({ metadata }: Table, found: Found): Record<string, string> {
  const { properties } = metadata;
  const counts = parseCounts(properties);
  const changed: Record<string, string> = {
    [takenUpProperty]: String(currentSnapshot(metadata)?.["snapshot-id"]),
    [foreignReceivedProperty]: String(Number(properties[foreignReceivedProperty] ?? 0) + receivedOf(found)),
  };
  for (const [name, value] of Object.entries(found.outcomes) as [CountName, number][])
    if (value > 0) changed[countProperty(name)] = String(counts[name] + value);
  if (found.identitiesAfter !== undefined) changed[identitiesProperty] = String(found.identitiesAfter);
  return changed;
}
