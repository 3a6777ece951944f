/** The bytes that JSON texts are made of, apart from scalars. */
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Whether JSON lets this byte stand between two tokens (RFC 8259, section 2). */
export function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}

/** Offset of the first byte from `from` on that is not blank; the text's length, or `from` beyond it, where none is. */
export function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  let byte = bytes[at]!;
  // Not by isBlank: where the compiler does not inline it, checking an indented text takes half as long again.
  while (byte <= SPACE && (byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB))
    byte = bytes[++at]!;
  return at;
}
