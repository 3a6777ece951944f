import type { Literal } from "../scan/predicate.ts";

/**
 * Iceberg's order of two values of one type: below zero, zero or above. Strings are ordered by code point (as their
 * UTF-8 bytes are), bytes unsigned, false before true, NaN after every number.
 */
export function compareLiterals(one: Literal, other: Literal): number {
  if (typeof one === "string" && typeof other === "string") return compareStrings(one, other);
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other);
  if (one < other) return -1;
  if (one > other) return 1;
  return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
}

/** Whether two values of one type are the same, in Iceberg's order. */
export function equalLiterals(one: Literal, other: Literal): boolean {
  return compareLiterals(one, other) === 0;
}

function compareStrings(one: string, other: string): number {
  if (one === other) return 0;
  const shorter = Math.min(one.length, other.length);
  for (let i = 0; i < shorter; i++) {
    const a = one.charCodeAt(i);
    const b = other.charCodeAt(i);
    // UTF-16 puts surrogate pairs below U+E000; by code point they are above all of the basic plane.
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return one.length - other.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
