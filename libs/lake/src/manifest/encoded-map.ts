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
    reader.skipPairs(kind);
    this.#end = reader.position;
  }

  get size(): number {
    return this.#decoded().size;
  }

  get(key: number): V | undefined {
    const reader = this.#reader;
    const { position } = reader;
    reader.position = this.#start;
    try {
      return this.#find(reader, key);
    } finally {
      reader.position = position;
    }
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

  /** A plan asks for one or two columns of each file: no function is made for it. */
  #find(reader: AvroReader, key: number): V | undefined {
    for (let pairs = reader.count(); pairs !== 0; pairs = reader.count()) {
      // A negative count is followed by the size of the block in bytes.
      if (pairs < 0) reader.skipLong();
      for (let n = Math.abs(pairs); n > 0; n--) {
        if (reader.long() === key) return this.#readValue();
        this.#skipValue();
      }
    }
    return undefined;
  }

  #decoded(): Map<number, V> {
    return this.#from((reader) => {
      const map = new Map<number, V>();
      for (let pairs = reader.count(); pairs !== 0; pairs = reader.count()) {
        // A negative count is followed by the size of the block in bytes.
        if (pairs < 0) reader.skipLong();
        for (let n = Math.abs(pairs); n > 0; n--) map.set(reader.count(), this.#readValue());
      }
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
