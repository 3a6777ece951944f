import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlanks,
  SPACE,
} from "./json-byte.ts";

/**
 * The syntax of JSON (RFC 8259) in bytes that are UTF-8, checked without making values, which costs a third of what
 * `JSON.parse` does. What is taken here is JSON; of what is not, as of what nests deeper than SYNTAX_DEPTH_MAX, nothing
 * is said.
 */
export const SYNTAX_DEPTH_MAX = 30;

/** An array: where it ends (exclusive), and how many items it has. */
export interface CheckedArray {
  readonly end: number;
  readonly items: number;
}

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
/** Offsets behind this are none. */
const NOT_JSON = -1;

const ESCAPES: ReadonlySet<number> = new Set(ascii('"\\/bfnrt'));
const [TRUE, FALSE, NULL] = [ascii("true"), ascii("false"), ascii("null")];

/** The array that starts at `start`; undefined where none is sure to be there. */
export function checkArray(bytes: Uint8Array, start: number, depth = SYNTAX_DEPTH_MAX): CheckedArray | undefined {
  if (bytes[start] !== OPEN_BRACKET) return undefined;
  let at = skipBlanks(bytes, start + 1);
  if (bytes[at] === CLOSE_BRACKET) return { end: at + 1, items: 0 };
  for (let items = 1; ; items++) {
    at = endOfValue(bytes, at, depth);
    if (at === NOT_JSON) return undefined;
    at = skipBlanks(bytes, at);
    if (bytes[at] === CLOSE_BRACKET) return { end: at + 1, items };
    if (bytes[at] !== COMMA) return undefined;
    at = skipBlanks(bytes, at + 1);
  }
}

function endOfValue(bytes: Uint8Array, at: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return endOfString(bytes, at);
    case OPEN_BRACE:
      return depth === 0 ? NOT_JSON : endOfObject(bytes, at, depth - 1);
    case OPEN_BRACKET:
      return depth === 0 ? NOT_JSON : (checkArray(bytes, at, depth - 1)?.end ?? NOT_JSON);
    case TRUE[0]:
      return endOfWord(bytes, at, TRUE);
    case FALSE[0]:
      return endOfWord(bytes, at, FALSE);
    case NULL[0]:
      return endOfWord(bytes, at, NULL);
    default:
      return endOfNumber(bytes, at);
  }
}

function endOfWord(bytes: Uint8Array, start: number, word: Uint8Array): number {
  for (let at = 1; at < word.length; at++) if (bytes[start + at] !== word[at]) return NOT_JSON;
  return start + word.length;
}

function endOfObject(bytes: Uint8Array, start: number, depth: number): number {
  let at = skipBlanks(bytes, start + 1);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return NOT_JSON;
    at = endOfString(bytes, at);
    if (at === NOT_JSON) return NOT_JSON;
    at = skipBlanks(bytes, at);
    if (bytes[at] !== COLON) return NOT_JSON;
    at = endOfValue(bytes, skipBlanks(bytes, at + 1), depth);
    if (at === NOT_JSON) return NOT_JSON;
    at = skipBlanks(bytes, at);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return NOT_JSON;
    at = skipBlanks(bytes, at + 1);
  }
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  for (;;) {
    let byte = bytes[at]!;
    while (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) byte = bytes[++at]!;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return NOT_JSON;
    if (bytes[at + 1] === LOWER_U) {
      for (let digit = at + 2; digit < at + 6; digit++) if (!isHexDigit(bytes[digit])) return NOT_JSON;
      at += 6;
    } else {
      if (!ESCAPES.has(bytes[at + 1] ?? 0)) return NOT_JSON;
      at += 2;
    }
  }
}

function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const whole = at;
  at = endOfDigits(bytes, at);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return NOT_JSON;
  if (bytes[at] === DOT) {
    const fraction = at + 1;
    at = endOfDigits(bytes, fraction);
    if (at === fraction) return NOT_JSON;
  }
  if ((bytes[at]! | 0x20) === LOWER_E) {
    const sign = bytes[at + 1];
    const exponent = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
    at = endOfDigits(bytes, exponent);
    if (at === exponent) return NOT_JSON;
  }
  return at;
}

function endOfDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (byte >= ZERO && byte <= NINE) || (letter >= 0x61 && letter <= 0x66);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from([...text].map((letter) => letter.charCodeAt(0)));
}
