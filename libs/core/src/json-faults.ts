import { QUOTE, BACKSLASH, COLON, COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE } from "./json-byte.ts";
import { decodeString, endOfString, type JsonRange } from "./json-slice.ts";
import { isWellFormedText } from "./well-formed.ts";

/**
 * What `JSON.parse` takes in silence and a lake must not: a key that stands twice in one object (which value was
 * meant?), and a string with a lone surrogate (no UTF-8 text can hold it).
 */
export interface JsonFault {
  readonly kind: "duplicate_key" | "lone_surrogate";
  /** Way to the value within the range, such as `metadata.HKTimeZone` or `[3].id`. */
  readonly path: string;
}

interface Container {
  /** Keys seen; undefined for an array. */
  readonly keys: Set<string> | undefined;
  /** Key or index of the member that is being read. */
  at: string | number;
  /** In an object: whether the next string is a key. */
  wantsKey: boolean;
}

export const JSON_FAULTS_MAX = 20;
const PATH_DEPTH_MAX = 16;

/** The faults of the value in the range of a text that `JSON.parse` has taken, at most JSON_FAULTS_MAX. Iterative. */
export function findJsonFaults(bytes: Uint8Array, range: JsonRange): JsonFault[] {
  const faults: JsonFault[] = [];
  const stack: Container[] = [];
  for (let i = range.start; i < range.end && faults.length < JSON_FAULTS_MAX; i++) {
    const top = stack[stack.length - 1];
    switch (bytes[i]) {
      case QUOTE: {
        const end = endOfString(bytes, i);
        visitString(bytes, i, end, stack, faults);
        i = end - 1;
        break;
      }
      case OPEN_BRACE:
        stack.push({ keys: new Set(), at: "", wantsKey: true });
        break;
      case OPEN_BRACKET:
        stack.push({ keys: undefined, at: 0, wantsKey: false });
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        stack.pop();
        break;
      case COLON:
        if (top !== undefined) top.wantsKey = false;
        break;
      case COMMA:
        if (top?.keys !== undefined) top.wantsKey = true;
        else if (typeof top?.at === "number") top.at++;
        break;
      default:
        break;
    }
  }
  return faults;
}

function visitString(bytes: Uint8Array, start: number, end: number, stack: Container[], faults: JsonFault[]): void {
  const top = stack[stack.length - 1];
  const isKey = top?.keys !== undefined && top.wantsKey;
  if (!isKey && !hasBackslash(bytes, start, end)) return;
  const text = decodeString(bytes, start, end);
  if (isKey) {
    top.at = text;
    if (top.keys?.has(text)) faults.push({ kind: "duplicate_key", path: pathOf(stack) });
    top.keys?.add(text);
  }
  if (!isWellFormedText(text)) faults.push({ kind: "lone_surrogate", path: pathOf(stack) });
}

function hasBackslash(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === BACKSLASH) return true;
  return false;
}

function pathOf(stack: readonly Container[]): string {
  let path = "";
  for (const { at } of stack.slice(0, PATH_DEPTH_MAX)) {
    if (typeof at === "number") path += `[${at}]`;
    else path += path === "" ? at : `.${at}`;
  }
  return path;
}
