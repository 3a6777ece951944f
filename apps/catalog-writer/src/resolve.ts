/**
 * Decides what each arriving record is: new, a duplicate, a correction or a deletion.
 *
 * Pure but for the look-up that it is given. Identities are 16-byte digests, contents 8-byte digests; records are
 * judged strictly in arrival order, so that within one batch a sample may come, be corrected, be deleted and come back.
 * A batch may hold half a million records: everything lies in typed arrays, no object is made for a record.
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

export interface Resolution {
  /** RowAction of each record. */
  readonly actions: Uint8Array;
  readonly outcomes: Outcomes;
  /** Records by which the index changes: put where the row is written, taken out where it is `remove`. */
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
 * Counting rule (INTERFACE.md, Pipeline): each record has exactly one outcome; a tombstone counts as deleted whether or
 * not its identity is stored; a deletion frees the identity, so the next arrival counts as stored.
 *
 * @param lookUp what the table holds of a record's identity, by the record's number
 */
export function resolveBatch(keys: BatchKeys, lookUp: (row: number) => IndexEntry | undefined): Resolution {
  const actions = new Uint8Array(keys.rows);
  const heads = headsOf(keys);
  // State of an identity, kept at its head, the first record of the batch that has it.
  const rowOf = new Int32Array(keys.rows).fill(gone);
  const content = new BigUint64Array(keys.rows);
  const tombstoneOf = new Int32Array(keys.rows).fill(noTombstone);
  const basePartition = new Int32Array(keys.rows).fill(-1);
  const hasBase = new Uint8Array(keys.rows);
  const counts = { stored: 0, corrected: 0, duplicates: 0, deleted: 0 };
  for (let row = 0; row < keys.rows; row++) {
    const head = heads[row]!;
    if (head === row) {
      const base = lookUp(row);
      if (base !== undefined) {
        hasBase[row] = 1;
        basePartition[row] = base.partition;
        content[row] = base.content;
        rowOf[row] = inTable;
      }
    }
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
  const { changed, touchedPartitions } = settle({ heads, rowOf, tombstoneOf, hasBase, basePartition }, actions);
  return { actions, outcomes: counts, changed, touchedPartitions };
}

interface HeadStates {
  readonly heads: Int32Array;
  readonly rowOf: Int32Array;
  readonly tombstoneOf: Int32Array;
  readonly hasBase: Uint8Array;
  readonly basePartition: Int32Array;
}

/** The batch's end: which rows are written, which rows of the table go, and where the index changes. */
function settle(states: HeadStates, actions: Uint8Array) {
  const { heads, rowOf, tombstoneOf, hasBase, basePartition } = states;
  const changed = new Int32Array(heads.length);
  let changes = 0;
  const touchedPartitions = new Set<number>();
  for (let head = 0; head < heads.length; head++) {
    if (heads[head] !== head) continue;
    const row = rowOf[head]!;
    if (row === inTable) continue;
    if (row === gone && hasBase[head] === 0) continue;
    if (hasBase[head] === 1) touchedPartitions.add(basePartition[head]!);
    const deciding = row === gone ? tombstoneOf[head]! : row;
    actions[deciding] = row === gone ? RowAction.remove : hasBase[head] === 1 ? RowAction.replace : RowAction.append;
    changed[changes++] = deciding;
  }
  return { changed: changed.slice(0, changes), touchedPartitions };
}

/** For each record the first record of the batch with the same identity; by open addressing. */
function headsOf(keys: BatchKeys): Int32Array {
  const heads = new Int32Array(keys.rows);
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, keys.rows * 2)));
  const table = new Int32Array(slots).fill(-1);
  // A digest's halves as 32-bit words: comparing those makes no bigint.
  const high = new Uint32Array(keys.keyHigh.buffer, keys.keyHigh.byteOffset, keys.rows * 2);
  const low = new Uint32Array(keys.keyLow.buffer, keys.keyLow.byteOffset, keys.rows * 2);
  for (let row = 0; row < keys.rows; row++) {
    const word = row * 2;
    let slot = low[word]! & (slots - 1);
    for (;;) {
      const first = table[slot]!;
      if (first === -1) {
        table[slot] = row;
        heads[row] = row;
        break;
      }
      const other = first * 2;
      const same =
        low[other] === low[word] &&
        low[other + 1] === low[word + 1] &&
        high[other] === high[word] &&
        high[other + 1] === high[word + 1];
      if (same) {
        heads[row] = first;
        break;
      }
      slot = (slot + 1) & (slots - 1);
    }
  }
  return heads;
}

/** Writes a record's identity digest, 16 bytes big endian, into `key`. */
export function writeKey(keys: BatchKeys, row: number, key: Buffer): Buffer {
  key.writeBigUInt64BE(keys.keyHigh[row]!, 0);
  key.writeBigUInt64BE(keys.keyLow[row]!, 8);
  return key;
}
