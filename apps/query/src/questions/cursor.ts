import { createHash } from "node:crypto";
import { sqlName, sqlString } from "@firn/lake";
import type { Parameters } from "../parameters/parse-parameters.ts";
import type { PageKey } from "./question-plan.ts";

/**
 * Where a page ended: the sort key of its last row, and the snapshot that all pages are read from, so that new data
 * neither doubles nor hides a row. Opaque to callers.
 */
export interface Cursor {
  readonly snapshotId: bigint;
  /** Values of the page key, as kernel values; instants as whole numbers. */
  readonly key: readonly (string | bigint)[];
}

const VERSION = 1;

/** @param fingerprint of the question that the cursor belongs to */
export function encodeCursor(cursor: Cursor, fingerprint: string): string {
  const key = cursor.key.map((value) => (typeof value === "bigint" ? { n: String(value) } : value));
  return Buffer.from(JSON.stringify([VERSION, fingerprint, String(cursor.snapshotId), ...key])).toString("base64url");
}

/** undefined when the text is no cursor of ours; `other_question` when it was given for other parameters. */
export function decodeCursor(text: string, fingerprint: string): Cursor | "other_question" | undefined {
  if (!/^[A-Za-z0-9_-]{1,4096}$/.test(text)) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [version, of, snapshot, ...key] = parts as unknown[];
  if (version !== VERSION || typeof snapshot !== "string" || !/^\d{1,19}$/.test(snapshot)) return undefined;
  if (of !== fingerprint) return "other_question";
  const values = key.map(decodeKeyValue);
  if (values.some((value) => value === undefined)) return undefined;
  return { snapshotId: BigInt(snapshot), key: values as (string | bigint)[] };
}

function decodeKeyValue(value: unknown): string | bigint | undefined {
  if (typeof value === "string") return value;
  const number = (value as { n?: unknown } | null)?.n;
  return typeof number === "string" && /^-?\d{1,19}$/.test(number) ? BigInt(number) : undefined;
}

/** The same for the same question with the same parameters; how many rows a page has may change between pages. */
export function fingerprintOf(questionKey: string, parameters: Parameters): string {
  const { cursor: _cursor, limit: _limit, ...rest } = parameters;
  return createHash("sha256").update(canonicalText(questionKey, rest)).digest("base64url").slice(0, 16);
}

/** One text for one question: names sorted, bigints told from numbers. */
export function canonicalText(questionKey: string, parameters: Parameters): string {
  const sorted = Object.entries(parameters).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([questionKey, sorted], (_, value: unknown) =>
    typeof value === "bigint" ? { n: String(value) } : value,
  );
}

/** The condition that a row comes after the cursor in the order of the key. */
export function afterSql(key: PageKey, after: Cursor["key"]): string {
  const literals = after.map(keyLiteral);
  const alternatives = key.columns.map(({ name, direction }, index) => {
    const equal = key.columns.slice(0, index).map((column, at) => `${sqlName(column.name)} = ${literals[at]}`);
    return `(${[...equal, `${sqlName(name)} ${direction === "asc" ? ">" : "<"} ${literals[index]}`].join(" AND ")})`;
  });
  return `(${alternatives.join(" OR ")})`;
}

/** Keys are of texts and instants only. */
function keyLiteral(value: string | bigint): string {
  return typeof value === "string" ? sqlString(value) : `make_timestamptz(${value}::BIGINT)`;
}
