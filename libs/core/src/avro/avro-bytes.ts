import { isUtf8 } from "node:buffer";

import { AvroError } from "./avro-error.ts";

/**
 * Reads Avro's binary encoding (Avro 1.12 specification, "Binary Encoding") of bytes that nobody vouches for: whatever
 * they hold, a read gives a value or throws an AvroError of kind `body`, and never runs past the end.
 */
export class AvroBytes {
  readonly #buffer: Buffer;
  /** Offset of the next read. */
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
  }

  get remaining(): number {
    return this.#buffer.length - this.position;
  }

  boolean(): boolean {
    const byte = this.#buffer[this.#take(1)]!;
    if (byte > 1) throw broken(`a boolean is ${byte}`);
    return byte === 1;
  }

  /** int and long: zigzag, seven bits a byte. Beyond 2^53 rounded, as JSON's numbers are. */
  long(): number {
    const start = this.position;
    let byte = this.#buffer[this.#take(1)]!;
    let value = byte & 0x7f;
    for (let scale = 128; byte > 0x7f; scale *= 128) {
      if (scale > 2 ** 42) return this.#wideLong(start);
      byte = this.#buffer[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float(): number {
    return this.#buffer.readFloatLE(this.#take(4));
  }

  double(): number {
    return this.#buffer.readDoubleLE(this.#take(8));
  }

  string(): string {
    const bytes = this.bytes();
    if (!isUtf8(bytes)) throw broken("a string is not UTF-8");
    return bytes.toString("utf8");
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    return this.fixed(this.long());
  }

  fixed(length: number): Buffer {
    const start = this.#take(length);
    return this.#buffer.subarray(start, start + length);
  }

  #wideLong(start: number): number {
    this.position = start;
    let zigzag = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#buffer[this.#take(1)]!;
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (byte <= 0x7f) return Number(BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n)));
    }
    throw broken("a number has more than ten bytes");
  }

  #take(length: number): number {
    const start = this.position;
    if (length < 0) throw broken(`a length is ${length}`);
    if (length > this.#buffer.length - start) throw broken("the body ends early");
    this.position = start + length;
    return start;
  }
}

/** A count as Avro writes it: not negative, below 2^30. */
export function avroLong(count: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = count * 2; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.of(...bytes, rest);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function broken(why: string): AvroError {
  return new AvroError("body", why);
}
