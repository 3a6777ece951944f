/**
 * What makes a table's position and its stream disagree, and an operator's order to go on as a commit: another
 * position and the stream's identity, and no change of a row.
 */
import {
  identitiesProperty,
  identityProperty,
  positionEntry,
  positionProperty,
  receivedBeforeProperty,
  receivedProperty,
  RECORDS_HEADER,
  type ResumeOrder,
  shardOfSubject,
} from "@firn/core";
import { type LakeEnvironment, LakeError, postCommit, stageCommit, type Table } from "@firn/lake";
import type { Log } from "@firn/stream";

export interface PositionProblem {
  readonly reason: string;
  readonly fix: string;
  /** Where `--accept-loss` goes on: with everything that the stream still has and that is not in the table. */
  readonly acceptLossAfter: number;
}

/** @param known the identity that the table's position belongs to; undefined before its first commit */
export function planPosition(
  table: { readonly name: string; readonly position: number; readonly known: string | undefined },
  log: { readonly stream: string; readonly identity: string; readonly lastSequence: number },
  what: string,
): PositionProblem | undefined {
  const fix = `restore the stream, or go on without what is lost: firn resume ${what} --accept-loss (or --from N)`;
  if (table.known !== undefined && table.known !== log.identity)
    return {
      reason: `stream ${log.stream} was made anew: the position of ${table.name} belongs to ${table.known}, the stream is ${log.identity}`,
      fix,
      acceptLossAfter: 0,
    };
  if (table.position > log.lastSequence)
    return {
      reason: `position ${table.position} of ${table.name} is ahead of stream ${log.stream}, which ends at ${log.lastSequence}`,
      fix,
      acceptLossAfter: log.lastSequence,
    };
  return undefined;
}

/**
 * Moves the table to the ordered position.
 * @throws LakeError `conflict` when another commit came first: the order still stands
 */
export async function commitResume(
  env: LakeEnvironment,
  table: Table,
  log: Log,
  subjects: readonly string[],
  order: ResumeOrder,
  problem: PositionProblem,
): Promise<void> {
  const position = "from" in order ? order.from - 1 : problem.acceptLossAfter;
  const identity = await log.identity();
  const properties: Record<string, string> = { [identityProperty(log.stream)]: identity };
  for (const subject of subjects) properties[positionProperty(log.stream, subject)] = String(position);
  const staged = await stageCommit(env, {
    table,
    changes: [{ operation: "append", addedData: [], summary: { [positionEntry]: String(position) } }],
    // What an operator lets go is not counted any more.
    removeProperties: [identitiesProperty],
    setProperties: { ...properties, ...(await receivedProperties(table, log, identity, subjects, position)) },
  });
  const result = await postCommit(env, staged);
  if (result.kind === "conflict")
    throw new LakeError("conflict", `${table.identifier.name}: another commit came first`, { context: {} });
}

/**
 * The validator counts what it received in its messages. What the count of a lost stream had, and the one that goes on
 * does not, is kept in the table, so that the lake's counters still add up.
 */
async function receivedProperties(
  table: Table,
  log: Log,
  identity: string,
  subjects: readonly string[],
  position: number,
): Promise<Record<string, string>> {
  const { properties } = table.metadata;
  const madeAnew = properties[identityProperty(log.stream)] !== identity;
  const changed: Record<string, string> = {};
  let before = Number(properties[receivedBeforeProperty] ?? 0);
  for (const subject of subjects) {
    const name = receivedProperty(shardOfSubject(subject));
    const counted = properties[name];
    if (counted === undefined) continue;
    const last = madeAnew ? undefined : await log.last(subject);
    // In the middle of the stream the count at the position is not known: the stream's own goes on.
    if (last !== undefined && last.sequence > position) continue;
    const held = Number(last?.headers[RECORDS_HEADER] ?? 0);
    before += Number(counted) - held;
    changed[name] = String(held);
  }
  return Object.keys(changed).length === 0 ? {} : { ...changed, [receivedBeforeProperty]: String(before) };
}
