/**
 * Names of the table properties in which the pipeline keeps its state, always set in the same commit as the rows that
 * they speak of. Written by the catalog-writer; read by it at start, by the aggregator and by the query service.
 */

import { refuseNewer } from "./newer-format.ts";

/** Version of all properties below, and of the entries of snapshots; a table without it is of version 1. */
export const stateVersionProperty = "firn.state-version";
/** The version of what the writer keeps in the properties of tables. */
export const STATE_VERSION = 1;

/** Comes before anything else is read of a table's properties. @throws NewerFormat */
export function refuseNewerState(properties: Readonly<Record<string, string>>): void {
  refuseNewer(
    "the state in the table's properties (firn.*)",
    Number(properties[stateVersionProperty] ?? 1),
    STATE_VERSION,
  );
}

/** Last sequence of `stream` whose records of `subject` are in the table, all earlier ones included. */
export function positionProperty(stream: string, subject: string): string {
  return `firn.position.${stream}.${subject}`;
}

/**
 * Entry of every snapshot summary of ours of raw and errors, merges too: the position that its commit moved to.
 * Properties survive a rollback, snapshots do not. A snapshot of raw without it is another engine's, and all that came
 * before one with it has been taken up.
 */
export const positionEntry = "firn.position";

/** Identity of the stream that the positions belong to. */
export function identityProperty(stream: string): string {
  return `firn.identity.${stream}`;
}

/** Records since the lake was made, by outcome. */
const countNames = ["stored", "corrected", "duplicates", "deleted", "rejected"] as const;
export type CountName = (typeof countNames)[number];
export type Counts = Record<CountName, number>;

/** The property of a count; counts only grow. */
export function countProperty(name: CountName): string {
  return `firn.count.${name}`;
}

/** Records that the validator had received of a shard with the last message that is in the table. */
export function receivedProperty(shard: number): string {
  return `firn.received.${shard}`;
}

/**
 * On raw: records that earlier streams had received, which the validator's count does not hold any more. Set when an
 * operator lets the writer go on after a stream was lost.
 */
export const receivedBeforeProperty = "firn.received-before";

/** Records that other engines put into the table or took out of it, each counted with its outcome. */
export const foreignReceivedProperty = "firn.received-foreign";

/** The last snapshot of another engine whose rows have been taken up: counted, their doubles gone, local dates filled. */
export const takenUpProperty = "firn.taken-up";

/** How many identities the table holds. */
export const identitiesProperty = "firn.identities";

/** Names the lake for ever: made with the first table. */
export const pipelineIdProperty = "firn.pipeline-id";
/** The writer process that made the last commit. */
export const writerEpochProperty = "firn.writer-epoch";
/** On an aggregate: the snapshot of raw that it equals, in decimal. */
export const sourceSnapshotProperty = "firn.rollup.source-snapshot";
/** Entry of every snapshot summary of an aggregate that a round made: the snapshot of raw. */
export const sourceSnapshotEntry = "firn.source-snapshot";
/** Entry of a snapshot summary where spans are sent: `traceparent` of the commit. */
export const traceEntry = "firn.traceparent";
/** On an aggregate: the table uuid of raw. */
export const sourceTableProperty = "firn.rollup.source-table";

/** The counts of a table's properties, 0 where one is missing. */
export function parseCounts(properties: Readonly<Record<string, string>>): Counts {
  const counts = {} as Counts;
  for (const name of countNames) counts[name] = Number(properties[countProperty(name)] ?? 0);
  return counts;
}

/** Positions of one stream by subject. */
export function parsePositions(properties: Readonly<Record<string, string>>, stream: string): Map<string, number> {
  const prefix = positionProperty(stream, "");
  const positions = new Map<string, number>();
  for (const [name, value] of Object.entries(properties))
    if (name.startsWith(prefix)) positions.set(name.slice(prefix.length), Number(value));
  return positions;
}
