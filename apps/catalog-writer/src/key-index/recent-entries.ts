import { compareEntries, entryWords } from "./identity-keys.ts";

/** The newest entries of the index, in memory: a hash table of keys, by open addressing. */
export class RecentEntries {
  // Twice as many slots as there is room for entries.
  #entries = new Uint32Array(1024 * entryWords);
  #slots = new Int32Array(2048).fill(-1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Puts entry `at` of `from` in, in place of one with the same key. */
  put(from: Uint32Array, at: number): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    const slot = this.#slotOf(from, at);
    const place = this.#slots[slot] === -1 ? this.#size++ : this.#slots[slot]!;
    this.#slots[slot] = place;
    this.#entries.set(from.subarray(at * entryWords, (at + 1) * entryWords), place * entryWords);
  }

  /** The entry of a key, as words; undefined when there is none. */
  find(key: Uint32Array): Uint32Array | undefined {
    const place = this.#slots[this.#slotOf(key, 0)]!;
    return place === -1 ? undefined : this.#entries.subarray(place * entryWords, (place + 1) * entryWords);
  }

  /** All entries in the order of their keys. */
  sorted(): { readonly entries: Uint32Array; readonly order: Uint32Array } {
    const order = Uint32Array.from({ length: this.#size }, (_, place) => place);
    order.sort((one, other) => compareEntries(this.#entries, one, this.#entries, other));
    return { entries: this.#entries, order };
  }

  clear(): void {
    this.#slots.fill(-1);
    this.#size = 0;
  }

  /** The slot that holds a key, or the free one where it would go. */
  #slotOf(from: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = from[at * entryWords + 3]! & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot]!;
      if (place === -1 || compareEntries(this.#entries, place, from, at) === 0) return slot;
    }
  }

  #grow(): void {
    const entries = this.#entries;
    const size = this.#size;
    this.#entries = new Uint32Array(entries.length * 2);
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    this.#size = 0;
    for (let place = 0; place < size; place++) this.put(entries, place);
  }
}
