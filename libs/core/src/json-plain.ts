import { isAscii } from "node:buffer";
import { BACKSLASH, QUOTE } from "./json-byte.ts";

/**
 * Whether a JSON text surely has no duplicate key and no lone surrogate, found without reading it token by token:
 *
 * - A text of UTF-8 bytes can only spell a lone surrogate as `\u`, so without `\u` there is none.
 * - Without `\"` and `\\` every quote byte opens or closes a string; when the parsed value explains all of them with its
 *   keys and strings, `JSON.parse` dropped no member, so no key stood twice.
 *
 * False means that only `findJsonFaults` can tell.
 */
export function isPlainJson(bytes: Uint8Array, parsed: unknown): boolean {
  return hasOnlyPlainEscapes(bytes) && countByte(bytes, QUOTE) === 2 * countStrings(parsed);
}

const PLAIN_ESCAPES = new Set([..."/bfnrt"].map((letter) => letter.charCodeAt(0)));
const ESCAPES_MAX = 5_000;

function hasOnlyPlainEscapes(bytes: Uint8Array): boolean {
  let escapes = 0;
  for (let at = bytes.indexOf(BACKSLASH); at >= 0; at = bytes.indexOf(BACKSLASH, at + 2)) {
    if (!PLAIN_ESCAPES.has(bytes[at + 1] ?? 0) || ++escapes > ESCAPES_MAX) return false;
  }
  return true;
}

/** How many bytes equal `byte`, four at a time. */
export function countByte(bytes: Uint8Array, byte: number): number {
  let count = 0;
  let at = 0;
  const aligned = Math.min(bytes.length, (4 - (bytes.byteOffset & 3)) & 3);
  for (; at < aligned; at++) if (bytes[at] === byte) count++;
  if (at === bytes.length) return count;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (bytes.length - aligned) >> 2);
  const pattern = Math.imul(byte, 0x01010101);
  let i = 0;
  while (i < words.length) {
    // Each byte of `lanes` counts its matches; 255 rounds cannot overflow it.
    let lanes = 0;
    for (const end = Math.min(words.length, i + 255); i < end; i++) {
      const x = words[i]! ^ pattern;
      const nonZero = ((x & 0x7f7f7f7f) + 0x7f7f7f7f) | x | 0x7f7f7f7f;
      lanes = (lanes + ((~nonZero >>> 7) & 0x01010101)) | 0;
    }
    count += (lanes & 0xff) + ((lanes >>> 8) & 0xff) + ((lanes >>> 16) & 0xff) + (lanes >>> 24);
  }
  for (at = aligned + words.length * 4; at < bytes.length; at++) if (bytes[at] === byte) count++;
  return count;
}

/** Strings and keys of a parsed JSON value; iterative, so that depth is no danger. */
function countStrings(value: unknown): number {
  if (typeof value === "string") return 1;
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  const open: object[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) {
      for (const item of next as unknown[]) {
        if (typeof item === "string") count++;
        else if (item !== null && typeof item === "object") open.push(item);
      }
      continue;
    }
    for (const key in next) {
      count++;
      const item = (next as Record<string, unknown>)[key];
      if (typeof item === "string") count++;
      else if (item !== null && typeof item === "object") open.push(item);
    }
  }
  return count;
}

/** The text of bytes that are known to be UTF-8; the common case of plain ASCII is copied, not decoded. */
export function textOfUtf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isAscii(bytes) ? buffer.toString("latin1") : buffer.toString("utf8");
}
