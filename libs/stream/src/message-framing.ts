/**
 * Cuts what comes from nats-server so that no message is in two pieces.
 *
 * The client library puts a message that comes in pieces together by doubling a buffer: three to four bytes are made,
 * cleared and collected for each that comes. A message's first line says how long it is, so here its buffer is made
 * once, and the library takes the payload as a view of it.
 *
 * Lines as in https://docs.nats.io/reference/reference-protocols/nats-protocol; what is none of them is passed on as it
 * came, for the library to refuse.
 */
export class MessageFraming {
  readonly #whole: (bytes: Uint8Array) => void;
  /** The beginning of a line whose end has not come. */
  #line: Buffer | undefined;
  /** A message whose end has not come, and how many of its bytes have. */
  #message: Buffer | undefined;
  #filled = 0;

  /** @param whole takes lines and messages, each whole; the bytes are its own */
  constructor(whole: (bytes: Uint8Array) => void) {
    this.#whole = whole;
  }

  /** @param chunk is only read until this returns */
  push(chunk: Uint8Array): void {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = this.#fill(bytes);
    if (this.#line !== undefined && at < bytes.length) {
      bytes = Buffer.concat([this.#line, bytes]);
      this.#line = undefined;
    }
    const from = at;
    while (at < bytes.length) {
      const lineEnd = bytes.indexOf(LINE_FEED, at);
      if (lineEnd < 0) {
        this.#pass(bytes, from, at);
        this.#line = Buffer.from(bytes.subarray(at));
        return;
      }
      const end = lineEnd + 1 + payloadBytes(bytes, at, lineEnd);
      if (end > bytes.length) {
        this.#pass(bytes, from, at);
        this.#message = Buffer.allocUnsafeSlow(end - at);
        this.#filled = bytes.copy(this.#message, 0, at);
        return;
      }
      at = end;
    }
    this.#pass(bytes, from, at);
  }

  /** Fills the message that is on its way. Returns how many bytes of the chunk were its. */
  #fill(chunk: Buffer): number {
    if (this.#message === undefined) return 0;
    const copied = chunk.copy(this.#message, this.#filled);
    this.#filled += copied;
    if (this.#filled === this.#message.length) {
      this.#whole(this.#message);
      this.#message = undefined;
    }
    return copied;
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (to > from) this.#whole(Buffer.from(bytes.subarray(from, to)));
  }
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
/** `m`, `M`, `h` and `H` without the bit of case. */
const MSG = 0x4d;
const HMSG = 0x48;
const TRAILER_BYTES = 2;
/** More digits are no size. */
const SIZE_DIGITS_MAX = 9;

/** Bytes behind the line from `start` to its line feed at `end`: of MSG and HMSG its last number, and CR LF. */
function payloadBytes(bytes: Buffer, start: number, end: number): number {
  const kind = bytes[start]! & ~0x20;
  if (kind !== MSG && kind !== HMSG) return 0;
  let size = 0;
  let scale = 1;
  // Backwards from the carriage return.
  for (let at = end - 2; at > start && bytes[at] !== SPACE; at--) {
    const digit = bytes[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9) || scale >= 10 ** SIZE_DIGITS_MAX) return 0;
    size += digit * scale;
    scale *= 10;
  }
  return scale === 1 ? 0 : size + TRAILER_BYTES;
}
