/**
 * Names of the table properties in which the pipeline keeps its state, always set in the same commit as the rows that
 * they speak of. Written by the catalog-writer; read by it at start, by the aggregator and by the query service.
 */

/** Last sequence of `stream` whose records of `subject` are in the table, all earlier ones included. */
export function positionProperty(stream: string, subject: string): string {
  return `firn.position.${stream}.${subject}`;
}

/**
 * Entry of every snapshot summary of raw and errors: the position that its commit moved to. Properties survive a
 * rollback, snapshots do not.
 */
export const positionEntry = "firn.position";

/** Identity of the stream that the positions belong to. */
export function identityProperty(stream: string): string {
  return `firn.identity.${stream}`;
}

/** Records since the lake was made, by outcome. */
export const countNames = ["stored", "corrected", "duplicates", "deleted", "rejected"] as const;
export type CountName = (typeof countNames)[number];
export type Counts = Record<CountName, number>;

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

/** Names the lake for ever: made with the first table. */
export const pipelineIdProperty = "firn.pipeline-id";
/** The writer process that made the last commit. */
export const writerEpochProperty = "firn.writer-epoch";
/** On an aggregate: the snapshot of raw that it equals, in decimal. */
export const sourceSnapshotProperty = "firn.rollup.source-snapshot";
/** Entry of every snapshot summary of an aggregate that a round made: the snapshot of raw. */
export const sourceSnapshotEntry = "firn.source-snapshot";
/** On an aggregate: the table uuid of raw. */
export const sourceTableProperty = "firn.rollup.source-table";

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

/** Subjects of the three streams. */
export const streams = { intake: "INTAKE", validated: "VALIDATED", rollup: "ROLLUP" } as const;

export function intakeSubject(dataset: string, shard: number): string {
  return `intake.${dataset}.${shard}`;
}

export function acceptedSubject(dataset: string, shard: number): string {
  return `accepted.${dataset}.${shard}`;
}

export function rejectedSubject(dataset: string, shard: number): string {
  return `rejected.${dataset}.${shard}`;
}

export function rollupSubject(dataset: string, shard: number): string {
  return `rollup.${dataset}.${shard}`;
}

export function committedHint(namespace: string, table: string): string {
  return `lake.committed.${namespace}.${table}`;
}

/** Key of a stage's parked state in the attempts store; the value is a ParkedState. */
export function parkedKey(stage: string, shard: number | string): string {
  return `parked.${stage}.${shard}`;
}

export interface ParkedState {
  readonly stage: string;
  readonly shard: string;
  readonly reason: string;
  readonly fix: string;
}

/** Key of an operator's order to a parked stage in the attempts store; the value is a ResumeOrder. */
export function resumeKey(stage: string, shard: number | string): string {
  return `resume.${stage}.${shard}`;
}

/** Key, in the attempts store, of what is known of a table that the lake has made; the value is a KnownTable. */
export function tableKey(namespace: string, name: string): string {
  return `table.${namespace}.${name}`;
}

export interface KnownTable {
  readonly uuid: string;
}

/** How a parked stage goes on: after sequence `from` − 1 of its input, or with whatever its input has now. */
export type ResumeOrder = { readonly from: number } | { readonly acceptLoss: true };
