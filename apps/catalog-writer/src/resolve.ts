/**
 * Decides what each arriving record is: new, a duplicate, a correction or a deletion.
 *
 * Pure but for the look-up that it is given. Identities are 16-byte digests, contents 8-byte digests; records are
 * judged strictly in arrival order, so that within one batch a sample may come, be corrected, be deleted and come back.
 */

/** What the table holds of an identity. */
export interface IndexEntry {
  /** Digest of the content, unsigned 64 bit. */
  readonly content: bigint;
  /** Ordinal of the partition that holds the row (the key index's own numbering). */
  readonly partition: number;
}

/** One batch, column by column; all arrays have one element a record, in arrival order. */
export interface BatchKeys {
  readonly rows: number;
  /** High and low halves of the identity digest. */
  readonly keyHigh: BigUint64Array;
  readonly keyLow: BigUint64Array;
  readonly content: BigUint64Array;
  /** 1 where the record is a tombstone. */
  readonly tombstone: Uint8Array;
  /** Partition ordinal of the record's row (meaningless for a tombstone). */
  readonly partition: Int32Array;
}

/** What becomes of a record's row. */
export const RowAction = {
  /** A new identity: appended. */
  append: 0,
  /** Not written: a duplicate, or overtaken within the batch. */
  drop: 1,
  /** Written; the row that the table holds of this identity goes. */
  replace: 2,
  /** A tombstone whose identity the table holds: that row goes. */
  remove: 3,
} as const;

export interface Outcomes {
  readonly stored: number;
  readonly corrected: number;
  readonly duplicates: number;
  readonly deleted: number;
}

export interface IndexChange {
  readonly key: Buffer;
  /** The entry after the batch; undefined: the identity is gone. */
  readonly entry: IndexEntry | undefined;
}

export interface Resolution {
  /** RowAction of each record. */
  readonly actions: Uint8Array;
  readonly outcomes: Outcomes;
  readonly changes: readonly IndexChange[];
  /** Partitions that hold a row that goes. */
  readonly touchedPartitions: ReadonlySet<number>;
}

interface Pending {
  readonly base: IndexEntry | undefined;
  content: bigint;
  partition: number;
  /** The batch's record that holds the identity's row now; -1: the table's own row; -2: gone. */
  row: number;
  /** The latest tombstone while the identity is gone, else -1. */
  tombstoneRow: number;
}

const inTable = -1;
const gone = -2;

/** The 16 bytes of a record's identity digest, big endian. */
export function keyOf(keys: BatchKeys, row: number): Buffer {
  const key = Buffer.allocUnsafe(16);
  key.writeBigUInt64BE(keys.keyHigh[row] ?? 0n, 0);
  key.writeBigUInt64BE(keys.keyLow[row] ?? 0n, 8);
  return key;
}

/**
 * Judges every record of a batch.
 *
 * Counting rule (INTERFACE.md, Pipeline): each record has exactly one outcome; a tombstone counts as deleted whether or
 * not its identity is stored; a deletion frees the identity, so the next arrival counts as stored.
 */
export function resolveBatch(keys: BatchKeys, lookUp: (key: Buffer) => IndexEntry | undefined): Resolution {
  const actions = new Uint8Array(keys.rows);
  const pending = new Map<string, Pending>();
  let stored = 0;
  let corrected = 0;
  let duplicates = 0;
  let deleted = 0;
  for (let row = 0; row < keys.rows; row++) {
    const key = keyOf(keys, row);
    const name = key.toString("latin1");
    let state = pending.get(name);
    if (state === undefined) {
      const base = lookUp(key);
      state = base
        ? { base, content: base.content, partition: base.partition, row: inTable, tombstoneRow: -1 }
        : { base, content: 0n, partition: -1, row: gone, tombstoneRow: -1 };
      pending.set(name, state);
    }
    if (keys.tombstone[row] === 1) {
      deleted++;
      actions[row] = RowAction.drop;
      if (state.row === gone) continue;
      if (state.row >= 0) actions[state.row] = RowAction.drop;
      state.row = gone;
      state.tombstoneRow = row;
      continue;
    }
    const content = keys.content[row] ?? 0n;
    if (state.row !== gone && state.content === content) {
      duplicates++;
      actions[row] = RowAction.drop;
      continue;
    }
    if (state.row === gone) stored++;
    else corrected++;
    if (state.row >= 0) actions[state.row] = RowAction.drop;
    state.row = row;
    state.content = content;
    state.partition = keys.partition[row] ?? -1;
    state.tombstoneRow = -1;
  }
  const { changes, touchedPartitions } = settle(pending, actions);
  return { actions, outcomes: { stored, corrected, duplicates, deleted }, changes, touchedPartitions };
}

/** The batch's end: which rows are written, which rows of the table go, and what the index says afterwards. */
function settle(pending: ReadonlyMap<string, Pending>, actions: Uint8Array) {
  const changes: IndexChange[] = [];
  const touchedPartitions = new Set<number>();
  for (const [name, state] of pending) {
    if (state.row === inTable) continue;
    if (state.row === gone && state.base === undefined) continue;
    if (state.base) touchedPartitions.add(state.base.partition);
    if (state.row === gone) actions[state.tombstoneRow] = RowAction.remove;
    else actions[state.row] = state.base ? RowAction.replace : RowAction.append;
    changes.push({
      key: Buffer.from(name, "latin1"),
      entry: state.row === gone ? undefined : { content: state.content, partition: state.partition },
    });
  }
  return { changes, touchedPartitions };
}
