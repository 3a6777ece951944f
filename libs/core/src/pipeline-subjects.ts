/** The three streams, and below the subjects that messages have in them. */
export const streams = { intake: "INTAKE", validated: "VALIDATED", rollup: "ROLLUP" } as const;

/** Payloads as they came, in INTAKE. */
export function intakeSubject(dataset: string, shard: number): string {
  return `intake.${dataset}.${shard}`;
}

/** Rows of raw, in VALIDATED. */
export function acceptedSubject(dataset: string, shard: number): string {
  return `accepted.${dataset}.${shard}`;
}

/** Of a dataset's table of records beside raw. */
export function acceptedTableSubject(dataset: string, table: string, shard: number): string {
  return `accepted.${dataset}.${table}.${shard}`;
}

/** Dead letters, in VALIDATED. */
export function rejectedSubject(dataset: string, shard: number): string {
  return `rejected.${dataset}.${shard}`;
}

/** The shard of a subject of payloads, rows or dead letters: its last token. */
export function shardOfSubject(subject: string): number {
  return Number(subject.slice(subject.lastIndexOf(".") + 1));
}

/** Of the rounds of a lane (rollup-lanes.ts). */
export function rollupSubject(dataset: string, lane: number): string {
  return `rollup.${dataset}.${lane}`;
}

/** The hint that a table has another snapshot; it may be lost. */
export function committedHint(namespace: string, table: string): string {
  return `lake.committed.${namespace}.${table}`;
}
