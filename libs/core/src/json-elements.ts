import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  isBlank,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlanks,
} from "./json-byte.ts";
import { endOfString, type JsonRange } from "./json-slice.ts";

/**
 * The elements of a JSON array, as ranges of its bytes without the white space around them, or undefined when the
 * text does not begin and end as one array does. The text need not be JSON: of one that `JSON.parse` has taken `jsonItems`
 * tells the same.
 *
 * Only brackets and strings are looked at: what lies between two commas is one element, well formed or not. So the
 * body is a JSON array exactly when every range is a JSON value; a missing or doubled comma shows in its element.
 */
export function sliceArrayElements(json: Uint8Array): JsonRange[] | undefined {
  const last = skipBlanksBack(json, json.length) - 1;
  let at = skipBlanks(json, 0);
  if (json[at] !== OPEN_BRACKET || last <= at || json[last] !== CLOSE_BRACKET) return undefined;
  at++;
  if (skipBlanks(json, at) === last) return [];
  const elements: JsonRange[] = [];
  let start = at;
  let depth = 0;
  for (; at < last; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at) - 1;
    } else if (byte === COMMA) {
      if (depth > 0) continue;
      elements.push(trim(json, start, at));
      start = at + 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth < 0) return undefined;
    }
  }
  if (depth !== 0 || at !== last) return undefined;
  elements.push(trim(json, start, last));
  return elements;
}

function trim(json: Uint8Array, start: number, end: number): JsonRange {
  const first = skipBlanks(json, start);
  return { start: Math.min(first, end), end: Math.max(skipBlanksBack(json, end), Math.min(first, end)) };
}

function skipBlanksBack(json: Uint8Array, end: number): number {
  let at = end;
  while (at > 0 && isBlank(json[at - 1])) at--;
  return at;
}
