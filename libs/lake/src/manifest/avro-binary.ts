import { LakeError } from "../lake-error.ts";

const INITIAL_BYTES = 64 * 1024;

/** Avro's binary encoding (Avro 1.12 specification, "Binary Encoding"), written into one growing buffer. */
export class AvroWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written since the last take. The bytes are the caller's. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return bytes;
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value ? 1 : 0;
  }

  /** int and long: zigzag, seven bits a byte. */
  long(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === "bigint" || value > MAX_ZIGZAG || value < -MAX_ZIGZAG) return this.#bigLong(BigInt(value));
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest > 0x7fff_ffff) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  float(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeFloatLE(value, this.#length);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  string(value: string): void {
    const bytes = Buffer.byteLength(value, "utf8");
    this.long(bytes);
    this.#reserve(bytes);
    this.#length += this.#buffer.write(value, this.#length, bytes, "utf8");
  }

  bytes(value: Uint8Array): void {
    this.long(value.length);
    this.fixed(value);
  }

  fixed(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #bigLong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Twice this is still an exact double. */
const MAX_ZIGZAG = 2 ** 51;

const SHORT_BYTES = 24;
/** A power of two. */
const SHORT_TEXTS = 64;

/** Reads what AvroWriter writes. Running over the end fails as `corrupt`. */
export class AvroReader {
  readonly #buffer: Buffer;
  #lastWide: { high: number; middle: number; low: number; value: number | bigint } | undefined;
  readonly #shortTexts: string[] = [];
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#buffer.length - this.position;
  }

  boolean(): boolean {
    return this.#buffer[this.#advance(1)] !== 0;
  }

  /** int and long: a number where that is exact, else a bigint. */
  long(): number | bigint {
    const buffer = this.#buffer;
    let at = this.position;
    // Beyond the end there is no byte, which ends the number; the end itself is checked once.
    let byte = buffer[at++]!;
    let low = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
      byte = buffer[at++]!;
      low |= (byte & 0x7f) << shift;
    }
    if (byte > 0x7f) return this.#wideLong(at, low);
    this.#moveTo(at);
    return (low >>> 1) ^ -(low & 1);
  }

  /** A long that counts or measures something: safe as a number in every file that is right. */
  count(): number {
    const value = this.long();
    if (typeof value === "bigint") throw corrupt(`the number ${value} is out of range`);
    return value;
  }

  float(): number {
    return this.#buffer.readFloatLE(this.#advance(4));
  }

  double(): number {
    return this.#buffer.readDoubleLE(this.#advance(8));
  }

  string(): string {
    const length = this.count();
    const start = this.#advance(length);
    return length <= SHORT_BYTES ? this.#short(start, length) : this.#buffer.toString("utf8", start, start + length);
  }

  /** A view of the buffer, not a copy. */
  bytes(): Uint8Array {
    return this.fixed(this.count());
  }

  fixed(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#buffer.subarray(start, start + length);
  }

  skip(bytes: number): void {
    this.#advance(bytes);
  }

  skipLong(): void {
    const buffer = this.#buffer;
    let at = this.position;
    while (buffer[at++]! > 0x7f);
    this.#moveTo(at);
  }

  /** Moves behind an array of pairs of an integer and of what `value` says. Every entry passes here with each of its maps. */
  skipPairs(value: "long" | "bytes"): void {
    const buffer = this.#buffer;
    for (let pairs = this.count(); pairs !== 0; pairs = this.count()) {
      // A negative count is followed by the size of the block in bytes.
      if (pairs < 0) this.skipLong();
      let at = this.position;
      for (let n = Math.abs(pairs); n > 0; n--) {
        while (buffer[at++]! > 0x7f);
        const byte = buffer[at]!;
        if (value === "long") while (buffer[at++]! > 0x7f);
        else if (byte <= 0x7f && (byte & 1) === 0) at += 1 + (byte >>> 1);
        else {
          this.position = at;
          this.skip(this.count());
          at = this.position;
        }
        // Beyond the end there are no bytes, and a damaged count must not be waited for.
        if (at > buffer.length) break;
      }
      this.#moveTo(at);
    }
  }

  /** File formats and partition values are the same few for many entries: the last ones are kept. */
  #short(start: number, length: number): string {
    const buffer = this.#buffer;
    let hash = length;
    for (let at = start; at < start + length; at++) hash = (Math.imul(hash, 31) + buffer[at]!) | 0;
    const slot = hash & (SHORT_TEXTS - 1);
    const known = this.#shortTexts[slot];
    if (known?.length === length) {
      // Only of ASCII are characters bytes.
      let at = 0;
      while (at < length && known.charCodeAt(at) === buffer[start + at]) at++;
      if (at === length) return known;
    }
    const text = buffer.toString("utf8", start, start + length);
    this.#shortTexts[slot] = text;
    return text;
  }

  /** Behind the first 28 bits of a number that has more. */
  #wideLong(start: number, low: number): number | bigint {
    const buffer = this.#buffer;
    let at = start;
    let byte = 0x80;
    // The next 28 bits, then the last 8 of the 64.
    let middle = 0;
    for (let shift = 0; byte > 0x7f && shift < 28; shift += 7) {
      byte = buffer[at++]!;
      middle |= (byte & 0x7f) << shift;
    }
    let high = 0;
    for (let shift = 0; byte > 0x7f; shift += 7) {
      if (shift > 7) throw corrupt("a varint has more than ten bytes");
      byte = buffer[at++]!;
      high |= (byte & 0x7f) << shift;
    }
    this.#moveTo(at);
    if (high === 0 && middle < 2 ** 21) {
      const wide = middle * 2 ** 28 + low;
      return wide % 2 === 0 ? wide / 2 : -(wide + 1) / 2;
    }
    return this.#sixtyFourBits(high, middle, low);
  }

  /** Most are ids of snapshots, the same for many entries: the last one is kept. */
  #sixtyFourBits(high: number, middle: number, low: number): number | bigint {
    const last = this.#lastWide;
    if (last !== undefined && last.high === high && last.middle === middle && last.low === low) return last.value;
    const zigzag = BigInt.asUintN(64, (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low));
    const exact = (zigzag >> 1n) ^ -(zigzag & 1n);
    const number = Number(exact);
    const value = Number.isSafeInteger(number) ? number : exact;
    this.#lastWide = { high, middle, low, value };
    return value;
  }

  #moveTo(position: number): void {
    if (position > this.#buffer.length) throw corrupt("the data end early");
    this.position = position;
  }

  #advance(bytes: number): number {
    const start = this.position;
    if (bytes < 0 || bytes > this.#buffer.length - start) throw corrupt("the data end early");
    this.position = start + bytes;
    return start;
  }
}

function corrupt(why: string): LakeError {
  return new LakeError("corrupt", `Avro: ${why}`);
}
