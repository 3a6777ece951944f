/**
 * Judges rows that another engine wrote like arrivals: new, a duplicate, a correction or a deletion. Pure but for the
 * look-up that it is given.
 *
 * Other engines move rows: an update that writes a file anew takes all of its rows away and brings most of them back.
 * A row that went and came back with the same content was only moved and is no arrival. Where rows of one identity
 * are left beside each other, the later commit wins, and within one the row that comes last.
 */
import { joinedKeys } from "../keyed-rows.ts";
import { type BatchKeys, headsOf, type Outcomes, type TableEntries } from "../resolve.ts";

export interface ForeignRows {
  /** Rows that the table had and has not any more; `everything`: they are not known, and `added` is the whole table. */
  readonly gone: BatchKeys | "everything";
  /** Rows that the table has now and had not before, in the order in which they came. */
  readonly added: BatchKeys;
}

export interface ForeignVerdict {
  readonly outcomes: Outcomes;
  /** 1 for each added row that goes, because a later one has its identity. */
  readonly lost: Uint8Array;
  /** 1 for each added row that stays and has others of its identity beside it. */
  readonly doubled: Uint8Array;
  /** Partitions with stored rows that go. */
  readonly touchedPartitions: ReadonlySet<number>;
  /** Identities of the added rows, and how many of them the table had before. */
  readonly identities: number;
  readonly known: number;
}

const none = -1;

export function judgeForeign(
  { gone, added }: ForeignRows,
  lookUp: (keys: BatchKeys, rows: Int32Array) => TableEntries,
): ForeignVerdict {
  const keys = gone === "everything" ? added : joinedKeys([gone, added]);
  const first = keys.rows - added.rows;
  const { heads, inKeyOrder } = headsOf(keys);
  const table = lookUp(keys, inKeyOrder);
  const state: State = {
    keys,
    heads,
    first,
    present: table.found.slice(),
    content: table.content.slice(),
    went: gone === "everything" ? table.found.slice() : wentOf(heads, first),
    moved: new Int32Array(keys.rows).fill(none),
    winner: new Int32Array(keys.rows).fill(none),
    live: new Int32Array(keys.rows),
  };
  const outcomes = judge(state, table);
  const verdict = rowsThatStay(state, table, inKeyOrder);
  return { ...verdict, outcomes: { ...outcomes, deleted: verdict.deleted } };
}

/** By head, the first row of the identity: what is known of the identity while its rows are judged. */
interface State {
  readonly keys: BatchKeys;
  readonly heads: Int32Array;
  /** The first added row; those before it are gone ones. */
  readonly first: number;
  readonly present: Uint8Array;
  readonly content: BigUint64Array;
  /** 1 where the row that the table had is gone from its place. */
  readonly went: Uint8Array;
  /** The added row that is the one that went. */
  readonly moved: Int32Array;
  readonly winner: Int32Array;
  readonly live: Int32Array;
}

function wentOf(heads: Int32Array, first: number): Uint8Array {
  const went = new Uint8Array(heads.length);
  for (let row = 0; row < first; row++) went[heads[row]!] = 1;
  return went;
}

function judge(state: State, table: TableEntries): Omit<Outcomes, "deleted"> {
  const { content, first, heads, keys, live, moved, present, went, winner } = state;
  for (let row = first; row < keys.rows; row++) {
    const head = heads[row]!;
    live[head]!++;
    const isBack = went[head] === 1 && table.found[head] === 1 && table.content[head] === keys.content[row];
    // It was there before all that arrived.
    if (isBack && moved[head] === none) moved[head] = winner[head] = row;
  }
  const counts = { stored: 0, corrected: 0, duplicates: 0 };
  for (let row = first; row < keys.rows; row++) {
    const head = heads[row]!;
    if (moved[head] === row) continue;
    if (present[head] === 0) counts.stored++;
    else if (content[head] === keys.content[row]) counts.duplicates++;
    else counts.corrected++;
    present[head] = 1;
    content[head] = keys.content[row]!;
    winner[head] = row;
  }
  return counts;
}

function rowsThatStay({ first, heads, keys, live, went, winner }: State, table: TableEntries, inKeyOrder: Int32Array) {
  const added = keys.rows - first;
  const [lost, doubled] = [new Uint8Array(added), new Uint8Array(added)];
  const touchedPartitions = new Set<number>();
  let [identities, known, deleted] = [0, 0, 0];
  for (const head of inKeyOrder) {
    if (winner[head] === none) {
      deleted += table.found[head]!;
      continue;
    }
    identities++;
    known += table.found[head]!;
    const isBesideOurs = table.found[head] === 1 && went[head] === 0;
    if (isBesideOurs) touchedPartitions.add(table.partition[head]!);
    if (isBesideOurs || live[head]! > 1) doubled[winner[head]! - first] = 1;
  }
  for (let row = first; row < keys.rows; row++) {
    const head = heads[row]!;
    if (winner[head] !== row) lost[row - first] = 1;
    if (live[head]! > 1) touchedPartitions.add(keys.partition[row]!);
  }
  return { lost, doubled, touchedPartitions, identities, known, deleted };
}
