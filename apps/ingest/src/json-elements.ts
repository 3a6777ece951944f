/** Where a payload lies in a body: `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT_START = 0x7b;
const OBJECT_END = 0x7d;

/**
 * The elements of a JSON array, as ranges of its bytes without the white space around them, or undefined when the
 * text does not begin and end as one array does.
 *
 * Only brackets and strings are looked at: what lies between two commas is one element, well formed or not. So the
 * body is a JSON array exactly when every range is a JSON value; a missing or doubled comma shows in its element.
 */
export function sliceArrayElements(json: Uint8Array): ByteRange[] | undefined {
  const last = skipBlanksBack(json, json.length) - 1;
  let at = skipBlanks(json, 0);
  if (json[at] !== ARRAY_START || last <= at || json[last] !== ARRAY_END) return undefined;
  at++;
  if (skipBlanks(json, at) === last) return [];
  const elements: ByteRange[] = [];
  let start = at;
  let depth = 0;
  for (; at < last; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at + 1);
    } else if (byte === COMMA) {
      if (depth > 0) continue;
      elements.push(trim(json, start, at));
      start = at + 1;
    } else if (byte === OBJECT_START || byte === ARRAY_START) {
      depth++;
    } else if (byte === OBJECT_END || byte === ARRAY_END) {
      depth--;
      if (depth < 0) return undefined;
    }
  }
  if (depth !== 0 || at !== last) return undefined;
  elements.push(trim(json, start, last));
  return elements;
}

/** Index of the closing quote; past the end when there is none. */
function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  for (; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return at;
}

function trim(json: Uint8Array, start: number, end: number): ByteRange {
  const first = skipBlanks(json, start);
  return { start: Math.min(first, end), end: Math.max(skipBlanksBack(json, end), Math.min(first, end)) };
}

/** JSON's white space: space, tab, line feed, carriage return (RFC 8259, section 2). */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function skipBlanks(json: Uint8Array, from: number): number {
  let at = from;
  while (isBlank(json[at])) at++;
  return at;
}

function skipBlanksBack(json: Uint8Array, end: number): number {
  let at = end;
  while (at > 0 && isBlank(json[at - 1])) at--;
  return at;
}
