/** Keys of what the stages keep in the attempts store, which every process of a lake shares, and its values. */

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
