import { Buffer } from "node:buffer";
import { BACKSLASH, COMMA, QUOTE } from "./json-byte.ts";

const MINUS = 0x2d;
const ZERO = 0x30;
/** Integers are written in halves of so many digits, each within 32 bits. */
const HALF = 100_000_000;
const HALF_DIGITS = 8;

/**
 * JSON text being written as UTF-8 bytes: what `JSON.stringify` gives, without the text in between. Rows of events are
 * mostly plain ASCII and whole numbers, which are written byte by byte; for anything else `JSON.stringify` is asked.
 */
export class JsonBytes {
  #bytes: Buffer;
  #length = 0;

  /** @param bytes about how many there will be */
  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(256, bytes));
  }

  /** What was written; the writer must not be used any more. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** ASCII text that stands as it is: brackets, commas, keys. */
  raw(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) this.#bytes[this.#length++] = text.charCodeAt(at);
  }

  /** An array of values, each a string, a number, a boolean, null or an object of strings. */
  array(values: ArrayLike<unknown>): void {
    this.raw("[");
    for (let at = 0; at < values.length;) {
      const value = values[at];
      if (at > 0) this.#byte(COMMA);
      const from = this.#length;
      this.value(value);
      // Values repeat: of one payload many columns are alike.
      const first = at++;
      while (at < values.length && values[at] === value) at++;
      if (at - first > 1) this.#repeat(from, at - first - 1);
    }
    this.raw("]");
  }

  /** Writes what was written since `from` so many times again, each behind a comma. */
  #repeat(from: number, times: number): void {
    const unit = this.#length - from + 1;
    this.#reserve(times * unit);
    const start = this.#length;
    const end = start + times * unit;
    this.#bytes[start] = COMMA;
    this.#bytes.copyWithin(start + 1, from, start);
    // Each copy doubles what is there.
    for (let done = unit; start + done < end; done *= 2) {
      this.#bytes.copyWithin(start + done, start, start + Math.min(done, end - start - done));
    }
    this.#length = end;
  }

  value(value: unknown): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (value === null || value === undefined) this.raw("null");
    else if (typeof value === "boolean") this.raw(value ? "true" : "false");
    else this.#object(value);
  }

  #object(value: object): void {
    const entries = value as Readonly<Record<string, unknown>>;
    let separator = "{";
    for (const key of Object.keys(entries)) {
      this.raw(separator);
      this.#text(key);
      this.raw(":");
      this.value(entries[key]);
      separator = ",";
    }
    this.raw(separator === "{" ? "{}" : "}");
  }

  #text(text: string): void {
    const start = this.#length;
    this.#reserve(text.length + 2);
    const bytes = this.#bytes;
    let to = start;
    bytes[to++] = QUOTE;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return this.#other(text);
      bytes[to++] = code;
    }
    bytes[to++] = QUOTE;
    this.#length = to;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      if (Number.isFinite(value)) this.raw(String(value));
      else this.raw("null");
      return;
    }
    this.#reserve(2 * HALF_DIGITS + 2);
    let rest = value;
    if (rest < 0) {
      this.#bytes[this.#length++] = MINUS;
      rest = -rest;
    }
    const high = Math.floor(rest / HALF);
    if (high >= HALF) return this.raw(String(rest));
    if (high > 0) {
      this.#digits(high, digitsOf(high));
      this.#digits(rest - high * HALF, HALF_DIGITS);
    } else this.#digits(rest, digitsOf(rest));
  }

  #digits(value: number, digits: number): void {
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tens = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.#length += digits;
  }

  #other(value: string): void {
    const text = JSON.stringify(value);
    this.#reserve(3 * text.length);
    this.#length += this.#bytes.write(text, this.#length, "utf8");
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit && digits < HALF_DIGITS; limit *= 10) digits++;
  return digits;
}
