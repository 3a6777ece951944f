import type { AvroReader } from "./avro-binary.ts";

/** What the values of an encoded map are. */
export type EncodedValue = "long" | "bytes";

/**
 * A map of column metrics that stays as Avro encoded it: an array of int/value pairs. Lookups walk the pairs. A table
 * of many columns has five such maps for each file, of which a scan looks at one or two entries; as real Maps they
 * took 11 kB a file, nine tenths of all memory and time of reading a manifest (18 columns).
 */
export class EncodedMap<V extends number | Uint8Array> implements ReadonlyMap<number, V> {
  readonly #reader: AvroReader;
  readonly #start: number;
  readonly #end: number;
  readonly #kind: EncodedValue;

  /** Takes the map at the reader's position and moves the reader behind it. */
  constructor(reader: AvroReader, kind: EncodedValue) {
    this.#reader = reader;
    this.#kind = kind;
    this.#start = reader.position;
    skipPairs(reader, kind);
    this.#end = reader.position;
  }

  get size(): number {
    return this.#decoded().size;
  }

  get(key: number): V | undefined {
    return this.#from((reader) => {
      let found: V | undefined;
      walkPairs(reader, () => {
        if (reader.long() === key) found = this.#readValue();
        else this.#skipValue();
        return found !== undefined;
      });
      return found;
    });
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  forEach(visit: (value: V, key: number, map: ReadonlyMap<number, V>) => void): void {
    for (const [key, value] of this.#decoded()) visit(value, key, this);
  }

  entries(): MapIterator<[number, V]> {
    return this.#decoded().entries();
  }

  keys(): MapIterator<number> {
    return this.#decoded().keys();
  }

  values(): MapIterator<V> {
    return this.#decoded().values();
  }

  [Symbol.iterator](): MapIterator<[number, V]> {
    return this.entries();
  }

  /** The whole map as it was encoded, to be written again. */
  encoded(): Uint8Array {
    return this.#from((reader) => reader.fixed(this.#end - this.#start));
  }

  #decoded(): Map<number, V> {
    return this.#from((reader) => {
      const map = new Map<number, V>();
      walkPairs(reader, () => {
        map.set(reader.count(), this.#readValue());
        return false;
      });
      return map;
    });
  }

  #readValue(): V {
    return (this.#kind === "long" ? this.#reader.count() : this.#reader.bytes()) as V;
  }

  #skipValue(): void {
    if (this.#kind === "long") this.#reader.skipLong();
    else this.#reader.skip(this.#reader.count());
  }

  /** The reader is shared by all maps of its block: its place is put back. */
  #from<T>(read: (reader: AvroReader) => T): T {
    const reader = this.#reader;
    const { position } = reader;
    reader.position = this.#start;
    try {
      return read(reader);
    } finally {
      reader.position = position;
    }
  }
}

/** Moves the reader behind the pairs. Every entry that is read passes here with each of its maps. */
function skipPairs(reader: AvroReader, kind: EncodedValue): void {
  for (let pairs = reader.count(); pairs !== 0; pairs = reader.count()) {
    // A negative count is followed by the size of the block in bytes.
    if (pairs < 0) reader.skipLong();
    for (let n = Math.abs(pairs); n > 0; n--) {
      reader.skipLong();
      if (kind === "long") reader.skipLong();
      else reader.skip(reader.count());
    }
  }
}

/** Calls `visit` with the reader at each pair, until it says true. */
function walkPairs(reader: AvroReader, visit: () => boolean): void {
  for (let pairs = reader.count(); pairs !== 0; pairs = reader.count()) {
    // A negative count is followed by the size of the block in bytes.
    if (pairs < 0) reader.skipLong();
    for (let n = Math.abs(pairs); n > 0; n--) if (visit()) return;
  }
}
