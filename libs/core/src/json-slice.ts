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
 * Where values lie in the bytes of a JSON text that `JSON.parse` has taken: nothing here checks syntax, and nothing is
 * recursive, so that depth is no danger. Ranges are byte offsets, end exclusive, without surrounding blanks.
 */
export interface JsonRange {
  readonly start: number;
  readonly end: number;
}

export interface JsonMember extends JsonRange {
  readonly key: string;
}

/** Where the value of the first member with this key of the object at `at` starts, if there is one. */
export function startOfMember(bytes: Uint8Array, wanted: string, at = 0): number | undefined {
  let position = skipBlanks(bytes, skipBlanks(bytes, at) + 1);
  while (position < bytes.length && bytes[position] !== CLOSE_BRACE) {
    const keyEnd = endOfString(bytes, position);
    const start = skipBlanks(bytes, skipBlanks(bytes, keyEnd) + 1);
    if (decodeString(bytes, position, keyEnd) === wanted) return start;
    position = skipBlanks(bytes, endOfValue(bytes, start));
    if (bytes[position] === COMMA) position = skipBlanks(bytes, position + 1);
  }
  return undefined;
}

/** The members of the object at `at`, in order, doubles included. */
export function* jsonMembers(bytes: Uint8Array, at = 0): Generator<JsonMember> {
  let position = skipBlanks(bytes, skipBlanks(bytes, at) + 1);
  while (position < bytes.length && bytes[position] !== CLOSE_BRACE) {
    const keyEnd = endOfString(bytes, position);
    const key = decodeString(bytes, position, keyEnd);
    const start = skipBlanks(bytes, skipBlanks(bytes, keyEnd) + 1);
    const end = endOfValue(bytes, start);
    yield { key, start, end };
    position = skipBlanks(bytes, end);
    if (bytes[position] === COMMA) position = skipBlanks(bytes, position + 1);
  }
}

/** The items of the array at `at`, in order. */
export function* jsonItems(bytes: Uint8Array, at = 0): Generator<JsonRange> {
  let position = skipBlanks(bytes, skipBlanks(bytes, at) + 1);
  while (position < bytes.length && bytes[position] !== CLOSE_BRACKET) {
    const end = endOfValue(bytes, position);
    yield { start: position, end };
    position = skipBlanks(bytes, end);
    if (bytes[position] === COMMA) position = skipBlanks(bytes, position + 1);
  }
}

/** Offset behind the value that starts at `start`. */
export function endOfValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(bytes, start);
  let depth = 0;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      i = endOfString(bytes, i) - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) {
      return i + 1;
    }
  }
  return bytes.length;
}

/** Offset behind the closing quote of the string that starts at `start`. */
export function endOfString(bytes: Uint8Array, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i++;
  }
  return bytes.length;
}

function endOfScalar(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && !isScalarEnd(bytes[i]!)) i++;
  return i;
}

function isScalarEnd(byte: number): boolean {
  return byte <= SPACE || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === COLON;
}

/** The string between the quotes at `start` and before `end`, escapes resolved. */
export function decodeString(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
  return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}
