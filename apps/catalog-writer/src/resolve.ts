/**
 * Decides what each arriving record is: new, a duplicate, a correction or a deletion.
 *
 * Pure but for the look-up that it is given. Identities are 16-byte digests, contents 8-byte digests; records are
 * judged strictly in arrival order, so that within one batch a sample may come, be corrected, be deleted and come back.
 * A batch may hold half a million records: everything lies in typed arrays, no object is made for a record.
 */
import { keyOrder, wordsOf } from "./key-index/identity-keys.ts";

/** What the table holds of a batch's identities, by record; only where it was asked. */
export interface TableEntries {
  /** 1 where the table holds the record's identity. */
  readonly found: Uint8Array;
  /** Digest of the content, where found. */
  readonly content: BigUint64Array;
  /** Ordinal of the partition that holds the row (the key index's own numbering), where found. */
  readonly partition: Int32Array;
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

export interface Resolution {
  /** RowAction of each record. */
  readonly actions: Uint8Array;
  readonly outcomes: Outcomes;
  /**
   * Records by which the index changes, in the order of their keys: put where the row is written, taken out where it is
   * `remove`.
   */
  readonly changed: Int32Array;
  /** Partitions that hold a row that goes. */
  readonly touchedPartitions: ReadonlySet<number>;
}

/** Where an identity's row is: a record of the batch (≥ 0), in the table, or nowhere. */
const inTable = -1;
const gone = -2;
const noTombstone = -1;

/**
 * Judges every record of a batch.
 *
 * Counting rule of `/api/pipeline`: each record has exactly one outcome; a tombstone counts as deleted whether or
 * not its identity is stored; a deletion frees the identity, so the next arrival counts as stored.
 *
 * @param lookUp what the table holds of the identities of some records, which come in the order of their keys
 */
export function resolveBatch(keys: BatchKeys, lookUp: (rows: Int32Array) => TableEntries): Resolution {
  const actions = new Uint8Array(keys.rows);
  const { heads, inKeyOrder } = headsOf(keys);
  const table = lookUp(inKeyOrder);
  // State of an identity, kept at its head, the first record of the batch that has it.
  const rowOf = new Int32Array(keys.rows).fill(gone);
  const content = table.content;
  const tombstoneOf = new Int32Array(keys.tombstone.includes(1) ? keys.rows : 0).fill(noTombstone);
  for (const head of inKeyOrder) if (table.found[head] === 1) rowOf[head] = inTable;
  const counts = { stored: 0, corrected: 0, duplicates: 0, deleted: 0 };
  for (let row = 0; row < keys.rows; row++) {
    const head = heads[row]!;
    const current = rowOf[head]!;
    if (keys.tombstone[row] === 1) {
      counts.deleted++;
      actions[row] = RowAction.drop;
      if (current === gone) continue;
      if (current >= 0) actions[current] = RowAction.drop;
      rowOf[head] = gone;
      tombstoneOf[head] = row;
      continue;
    }
    if (current !== gone && content[head] === keys.content[row]) {
      counts.duplicates++;
      actions[row] = RowAction.drop;
      continue;
    }
    if (current === gone) counts.stored++;
    else counts.corrected++;
    if (current >= 0) actions[current] = RowAction.drop;
    rowOf[head] = row;
    content[head] = keys.content[row]!;
  }
  const { changed, touchedPartitions } = settle({ inKeyOrder, rowOf, tombstoneOf, table }, actions);
  return { actions, outcomes: counts, changed, touchedPartitions };
}

interface HeadStates {
  readonly inKeyOrder: Int32Array;
  readonly rowOf: Int32Array;
  readonly tombstoneOf: Int32Array;
  readonly table: TableEntries;
}

/** The batch's end: which rows are written, which rows of the table go, and where the index changes. */
function settle(states: HeadStates, actions: Uint8Array) {
  const { inKeyOrder, rowOf, tombstoneOf, table } = states;
  const changed = new Int32Array(inKeyOrder.length);
  let changes = 0;
  const touchedPartitions = new Set<number>();
  for (const head of inKeyOrder) {
    const row = rowOf[head]!;
    if (row === inTable) continue;
    if (row === gone && table.found[head] === 0) continue;
    if (table.found[head] === 1) touchedPartitions.add(table.partition[head]!);
    const deciding = row === gone ? tombstoneOf[head]! : row;
    actions[deciding] =
      row === gone ? RowAction.remove : table.found[head] === 1 ? RowAction.replace : RowAction.append;
    changed[changes++] = deciding;
  }
  return { changed: changed.slice(0, changes), touchedPartitions };
}

/** For each record the first record of the batch with the same identity, and those first records in key order. */
export function headsOf(keys: BatchKeys): { heads: Int32Array; inKeyOrder: Int32Array } {
  const high = wordsOf(keys.keyHigh, keys.rows);
  const low = wordsOf(keys.keyLow, keys.rows);
  const order = keyOrder(keys);
  const heads = new Int32Array(keys.rows);
  let found = 0;
  let head = -1;
  for (const row of order) {
    // 32-bit words are compared, which makes no bigint.
    const isSame =
      head >= 0 &&
      low[head * 2] === low[row * 2] &&
      low[head * 2 + 1] === low[row * 2 + 1] &&
      high[head * 2] === high[row * 2] &&
      high[head * 2 + 1] === high[row * 2 + 1];
    if (!isSame) {
      head = row;
      // Never ahead of the place that is being read.
      order[found++] = row;
    }
    heads[row] = head;
  }
  return { heads, inKeyOrder: order.slice(0, found) };
}
