/**
 * The keys of the index as 32-bit words, and their order.
 *
 * A key is the 16-byte identity digest, compared as an unsigned number. Digests are evenly spread, so two passes of a
 * radix sort over the first word order nearly all of them.
 */

/** Words of a key, of an entry (key, content, partition), and bytes of an entry. */
export const keyWords = 4;
export const entryWords = 7;
export const entryBytes = entryWords * 4;

/** A removed identity, in place of its partition: hides what older runs say. */
export const removedPartition = -1;

/** Identity digests column by column: high and low halves, in the machine's (little-endian) order. */
export interface IdentityKeys {
  readonly rows: number;
  readonly keyHigh: BigUint64Array;
  readonly keyLow: BigUint64Array;
}

/** The same memory as 32-bit words: of record `row` the low word at `2 * row`, the high word after it. */
export function wordsOf(values: BigUint64Array, rows: number): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, rows * 2);
}

/** The records in the order of their keys; those with the same key in the order of the batch. */
export function keyOrder(keys: IdentityKeys, rows?: Int32Array): Int32Array {
  const high = wordsOf(keys.keyHigh, keys.rows);
  const low = wordsOf(keys.keyLow, keys.rows);
  let order = rows?.slice() ?? Int32Array.from({ length: keys.rows }, (_, row) => row);
  let other = new Int32Array(order.length);
  for (const shift of [0, 16]) {
    sortByHalfWord(high, shift, order, other);
    [order, other] = [other, order];
  }
  sortWithinFirstWord(high, low, order);
  return order;
}

/** One stable counting pass over 16 bits of each record's first word. */
function sortByHalfWord(high: Uint32Array, shift: number, from: Int32Array, to: Int32Array): void {
  const starts = new Uint32Array(65_537);
  for (const row of from) starts[((high[row * 2 + 1]! >>> shift) & 0xffff) + 1]!++;
  for (let digit = 0; digit < 65_536; digit++) starts[digit + 1]! += starts[digit]!;
  for (const row of from) to[starts[(high[row * 2 + 1]! >>> shift) & 0xffff]!++] = row;
}

/** Insertion sort of the few neighbours that share their first word; stable. */
function sortWithinFirstWord(high: Uint32Array, low: Uint32Array, order: Int32Array): void {
  const isBefore = (one: number, other: number): boolean => {
    if (high[one * 2]! !== high[other * 2]!) return high[one * 2]! < high[other * 2]!;
    if (low[one * 2 + 1]! !== low[other * 2 + 1]!) return low[one * 2 + 1]! < low[other * 2 + 1]!;
    return low[one * 2]! < low[other * 2]!;
  };
  for (let at = 1; at < order.length; at++) {
    const row = order[at]!;
    const first = high[row * 2 + 1]!;
    let place = at;
    for (; place > 0; place--) {
      const before = order[place - 1]!;
      if (high[before * 2 + 1]! !== first || !isBefore(row, before)) break;
      order[place] = before;
    }
    order[place] = row;
  }
}

/** Compares the key of entry `one` of some entries with that of entry `other` of some entries. */
export function compareEntries(a: Uint32Array, one: number, b: Uint32Array, other: number): number {
  return compareWords(a, one * entryWords, b, other * entryWords);
}

/** Compares the keys whose words begin at these places. */
export function compareWords(a: Uint32Array, one: number, b: Uint32Array, other: number): number {
  for (let word = 0; word < keyWords; word++) {
    const difference = a[one + word]! - b[other + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A record's key as words, most significant first; the same array each time. */
export class KeyWords {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #key = new Uint32Array(entryWords);

  constructor(keys: IdentityKeys) {
    this.#high = wordsOf(keys.keyHigh, keys.rows);
    this.#low = wordsOf(keys.keyLow, keys.rows);
  }

  of(row: number): Uint32Array {
    const key = this.#key;
    key[0] = this.#high[row * 2 + 1]!;
    key[1] = this.#high[row * 2]!;
    key[2] = this.#low[row * 2 + 1]!;
    key[3] = this.#low[row * 2]!;
    return key;
  }
}
