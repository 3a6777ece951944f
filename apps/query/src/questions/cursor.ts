import type { AnswerType, Parameters, QuestionPlan } from "@firn/core";
import { sqlName, sqlString } from "@firn/lake";
import { createHash } from "node:crypto";

/**
 * Where a page ended: the sort key of its last row, and the snapshot that all pages are read from, so that new data
 * neither doubles nor hides a row. Opaque to callers.
 */
export interface Cursor {
  readonly snapshotId: bigint;
  /** Values of the page key, as kernel values; instants, dates and numbers as whole numbers. */
  readonly key: readonly (string | bigint)[];
}

/** Where a page of a computed answer ended: how many rows came before, and the snapshot of each table. */
export interface OffsetCursor {
  readonly offset: number;
  readonly snapshots: ReadonlyMap<string, bigint>;
}

const VERSION = 1;
const OFFSET_VERSION = 2;

/** @param fingerprint of the question that the cursor belongs to */
export function encodeCursor(cursor: Cursor, fingerprint: string): string {
  const key = cursor.key.map((value) => (typeof value === "bigint" ? { n: String(value) } : value));
  return Buffer.from(JSON.stringify([VERSION, fingerprint, String(cursor.snapshotId), ...key])).toString("base64url");
}

/** undefined when the text is no cursor of ours; `other_question` when it was given for other parameters. */
export function decodeCursor(text: string, fingerprint: string): Cursor | "other_question" | undefined {
  const [version, of, snapshot, ...key] = decodeParts(text);
  if (version !== VERSION || typeof snapshot !== "string" || !/^\d{1,19}$/.test(snapshot)) return undefined;
  if (of !== fingerprint) return "other_question";
  const values = key.map(decodeKeyValue);
  if (values.some((value) => value === undefined)) return undefined;
  return { snapshotId: BigInt(snapshot), key: values as (string | bigint)[] };
}

export function encodeOffsetCursor({ offset, snapshots }: OffsetCursor, fingerprint: string): string {
  const tables = [...snapshots].map(([name, id]) => [name, String(id)]);
  return Buffer.from(JSON.stringify([OFFSET_VERSION, fingerprint, offset, tables])).toString("base64url");
}

/** As `decodeCursor`, of a computed answer. */
export function decodeOffsetCursor(text: string, fingerprint: string): OffsetCursor | "other_question" | undefined {
  const [version, of, offset, tables] = decodeParts(text);
  if (version !== OFFSET_VERSION || !Number.isSafeInteger(offset) || (offset as number) < 0) return undefined;
  if (of !== fingerprint) return "other_question";
  if (!Array.isArray(tables)) return undefined;
  const snapshots = new Map<string, bigint>();
  for (const entry of tables as unknown[]) {
    if (!Array.isArray(entry)) return undefined;
    const [name, id] = entry as unknown[];
    if (typeof name !== "string" || typeof id !== "string" || !/^\d{1,19}$/.test(id)) return undefined;
    snapshots.set(name, BigInt(id));
  }
  return { offset: offset as number, snapshots };
}

function decodeParts(text: string): readonly unknown[] {
  if (!/^[A-Za-z0-9_-]{1,4096}$/.test(text)) return [];
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
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

/** The condition that a row comes after the cursor in the order of the plan's key. */
export function afterSql({ key, columns }: Pick<QuestionPlan, "key" | "columns">, after: Cursor["key"]): string {
  if (key === undefined) return "TRUE";
  const literals = key.columns.map(({ name }, index) =>
    keyLiteral(after[index]!, columns.find((column) => column.name === name)?.type ?? "string"),
  );
  const alternatives = key.columns.map(({ name, direction }, index) => {
    const equal = key.columns.slice(0, index).map((column, at) => `${sqlName(column.name)} = ${literals[at]}`);
    return `(${[...equal, `${sqlName(name)} ${direction === "asc" ? ">" : "<"} ${literals[index]}`].join(" AND ")})`;
  });
  return `(${alternatives.join(" OR ")})`;
}

/** Keys are of texts, instants, dates and whole numbers. */
function keyLiteral(value: string | bigint, type: AnswerType): string {
  if (typeof value === "string") return sqlString(value);
  if (type === "timestamptz") return `make_timestamptz(${value}::BIGINT)`;
  return type === "date" ? `(DATE '1970-01-01' + ${value}::INTEGER)` : `${value}`;
}
