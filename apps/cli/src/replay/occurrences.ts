const SEGMENTS = 256;
const FIRST_SLOTS = 64;
const FULL = 0.75;
const GROWTH = 1.5;

/**
 * Counts how often a 64-bit key came before, in about 11 bytes a key (90 million records of an export fit in 1 GB, one
 * million in 11 MB). Keys lie in open-addressed tables, many small ones, so that growing one costs little memory.
 */
export class Occurrences {
  readonly #segments: Segment[] = Array.from({ length: SEGMENTS }, () => new Segment());
  /** Keys that came more than once: few. */
  readonly #repeated = new Map<bigint, number>();

  /** How often this key came before; counts it. `high` and `low` are 32 random-looking bits each. */
  next(high: number, low: number): number {
    const segment = this.#segments[high >>> 24] as Segment;
    if (segment.add(high >>> 0, low >>> 0)) return 0;
    const key = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const count = this.#repeated.get(key) ?? 1;
    this.#repeated.set(key, count + 1);
    return count;
  }
}

/** A set of pairs of 32-bit numbers. The pair (0, 0) marks an empty slot and is taken as (0, 1). */
class Segment {
  #slots = FIRST_SLOTS;
  #pairs = new Uint32Array(FIRST_SLOTS * 2);
  #size = 0;

  /** False when the pair is there already. */
  add(high: number, low: number): boolean {
    const second = high === 0 && low === 0 ? 1 : low;
    const slot = this.#find(high, second);
    if (this.#pairs[slot * 2] === high && this.#pairs[slot * 2 + 1] === second) return false;
    this.#pairs[slot * 2] = high;
    this.#pairs[slot * 2 + 1] = second;
    this.#size += 1;
    if (this.#size > this.#slots * FULL) this.#grow();
    return true;
  }

  /** The slot that holds the pair, or the empty one where it belongs. */
  #find(high: number, low: number): number {
    let slot = low % this.#slots;
    for (;;) {
      const first = this.#pairs[slot * 2];
      const second = this.#pairs[slot * 2 + 1];
      if ((first === 0 && second === 0) || (first === high && second === low)) return slot;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
  }

  #grow(): void {
    const old = this.#pairs;
    this.#slots = Math.ceil(this.#slots * GROWTH);
    this.#pairs = new Uint32Array(this.#slots * 2);
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] ?? 0;
      const low = old[at + 1] ?? 0;
      if (high === 0 && low === 0) continue;
      const slot = this.#find(high, low);
      this.#pairs[slot * 2] = high;
      this.#pairs[slot * 2 + 1] = low;
    }
  }
}
