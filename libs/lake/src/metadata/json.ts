import { randomUUID } from "node:crypto";
import { LakeError } from "../lake-error.ts";

/**
 * JSON of Iceberg metadata and of the REST catalog, with 64-bit integers kept whole.
 *
 * JSON.parse rounds integers beyond 2^53, and snapshot ids use all 64 bits. Lossless parsers are about ten times
 * slower than JSON.parse on a metadata file of a megabyte, so the long integers are quoted in the text first, with a
 * tag nobody can guess, and turned into `bigint` after JSON.parse.
 */

/** Values of these keys are `bigint` however small they are. */
const ID_KEYS: ReadonlySet<string> = new Set(["snapshot-id", "parent-snapshot-id", "current-snapshot-id"]);
const ID_LIST_KEY = "snapshot-ids";

/** Deeper documents are refused: nothing in Iceberg nests like this, and recursion must end. */
const DEPTH_MAX = 200;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

// In a process's lifetime nobody outside can know it, so no string of a document can pretend to be a tagged integer.
const TAG = `~${randomUUID()}:`;

/**
 * A key that holds an id, followed by a long integer. An opening quote is never preceded by a backslash in JSON, a quote
 * inside a string always is, and a closing quote is never followed by a letter: so a match is always a real key.
 */
const LONG_ID = /(?<!\\)"((?:parent-|current-)?snapshot-id)"(\s*:\s*)(-?\d{16,19})(?=[\s,}\]])/g;

/** Something that looks like another long integer. Inside a string it only costs the slower way. */
const MAYBE_LONG_INTEGER = /(?:^|[:[,])\s*-?\d{16,}\s*(?:[,}\]]|$)/;

/** A string, or a number: alternation order makes digits inside strings unreachable. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
const LONG_INTEGER = /^-?\d{16,}$/;

const TAGGED = new RegExp(`"${TAG}(-?\\d+)"`, "g");

/**
 * Parses JSON text. Integers of 16 and more digits, and all values of snapshot id keys, come back as `bigint`, other
 * numbers as `number`.
 * @throws LakeError `invalid` for text that is not JSON, nests deeper than 200 levels or has an id beyond 64 bits.
 */
export function parseLakeJson(text: string): unknown {
  try {
    let quoted = text.replace(LONG_ID, `"$1"$2"${TAG}$3"`);
    const everywhere = MAYBE_LONG_INTEGER.test(quoted);
    if (everywhere)
      quoted = quoted.replace(STRING_OR_NUMBER, (token) => (LONG_INTEGER.test(token) ? `"${TAG}${token}"` : token));
    return revive(JSON.parse(quoted), "", everywhere, 0);
  } catch (error) {
    if (error instanceof LakeError) throw error;
    const reason = error instanceof Error ? error.message.replaceAll(TAG, "") : String(error);
    throw new LakeError("invalid", `not valid JSON: ${reason}`, { cause: error });
  }
}

/** JSON text of plain data; `bigint` becomes an integer of any length. */
export function stringifyLakeJson(value: unknown): string {
  const text = JSON.stringify(tagged(value, 0));
  if (text === undefined) throw new LakeError("invalid", "this value has no JSON form");
  return text.replace(TAGGED, "$1");
}

function revive(value: unknown, key: string, everywhere: boolean, depth: number): unknown {
  if (typeof value === "object" && value !== null) return reviveInside(value, key, everywhere, depth + 1);
  if (typeof value === "string") {
    return (everywhere || ID_KEYS.has(key)) && value.startsWith(TAG) ? int64(value.slice(TAG.length), key) : value;
  }
  if (typeof value === "number" && (ID_KEYS.has(key) || key === ID_LIST_KEY)) return idFromNumber(value, key);
  return value;
}

/** Changes the freshly parsed tree in place: nobody else has seen it. */
function reviveInside(value: object, key: string, everywhere: boolean, depth: number): object {
  if (depth > DEPTH_MAX) throw new LakeError("invalid", `not valid JSON here: nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      if (everywhere || typeof item === "object" || key === ID_LIST_KEY)
        value[index] = revive(item, key, everywhere, depth);
    }
    return value;
  }
  const record = value as Record<string, unknown>;
  for (const name of Object.keys(record)) {
    const item = record[name];
    if (everywhere || typeof item === "object" || ID_KEYS.has(name)) {
      const revived = revive(item, name, everywhere, depth);
      if (revived !== item) record[name] = revived;
    }
  }
  return record;
}

function idFromNumber(value: number, key: string): bigint {
  if (!Number.isSafeInteger(value)) throw new LakeError("invalid", `${key}: ${value} is not a 64-bit integer`);
  return BigInt(value);
}

function int64(digits: string, key: string): bigint {
  const value = BigInt(digits);
  if (ID_KEYS.has(key) && (value < INT64_MIN || value > INT64_MAX)) {
    throw new LakeError("invalid", `${key}: ${digits} does not fit in 64 bits`);
  }
  return value;
}

/** The same data with every bigint as a tagged string; shares everything that holds none. */
function tagged(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return `${TAG}${value}`;
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEPTH_MAX) throw new LakeError("invalid", `nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) return taggedArray(value, depth);
  let copy: Record<string, unknown> | undefined;
  const record = value as Record<string, unknown>;
  for (const name of Object.keys(record)) {
    const item = record[name];
    if (typeof item !== "object" && typeof item !== "bigint") continue;
    const replaced = tagged(item, depth + 1);
    if (replaced !== item) (copy ??= { ...record })[name] = replaced;
  }
  return copy ?? record;
}

function taggedArray(value: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < value.length; index += 1) {
    const replaced = tagged(value[index], depth + 1);
    if (replaced !== value[index]) (copy ??= [...value])[index] = replaced;
  }
  return copy ?? value;
}
