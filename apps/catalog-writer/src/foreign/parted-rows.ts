/**
 * What is asked of another engine's rows (digests, places, local dates), read from their files once and laid down in
 * parts: a part has all rows of its identities, so that parts can be judged one by one.
 *
 * A part is a range of identity digests, in the order of the key index: judging a part reads its own stretch of the
 * index. Rows lie in a temporary table that spills, sorted by part: what is read of a part is that part.
 */
import { type KernelConnection, type LakeEnvironment, scanSql, sqlName } from "@firn/lake";
import { type Digests, digestsSql, keyColumns, type KeyShape, placeColumns } from "../keyed-rows.ts";
import type { ForeignFiles } from "./foreign-files.ts";
import { localDateColumns, type LocalDateRule } from "./local-dates.ts";

/** Rows of a part, about. */
const partRowsDefault = 1_000_000;

const partedRows = "foreign_rows";

/** Digests as they lie in the parts. */
export const partedDigests: Digests = { identity: "__identity", content: "__content" };

export interface RowsToPart extends KeyShape {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly localDates?: LocalDateRule;
  /** Rows of a part, about. Default 1,000,000. */
  readonly partRows?: number;
}

/**
 * Lays the rows down, by `dropParts` to be taken away.
 * @param withGone whether rows that went are read too
 * @returns how many parts there are
 */
export async function partRows(rows: RowsToPart, files: ForeignFiles, withGone: boolean): Promise<number> {
  const { connection, definition, localDates, partRows: rowsOfPart = partRowsDefault } = rows;
  const kept = new Set([...placeColumns(definition), ...(localDates ? localDateColumns(localDates) : [])]);
  const columns = [...new Set([...keyColumns(rows), ...kept])];
  const plans = withGone ? [files.removed, files.deleted, files.added] : [files.added];
  const count = plans.flatMap((plan) => plan.tasks).reduce((sum, { file }) => sum + file.recordCount, 0);
  const parts = Math.max(1, Math.ceil(count / rowsOfPart));
  const digests = digestsSql(rows);
  const selected = [
    `${digests.identity} AS ${partedDigests.identity}`,
    `${digests.content} AS ${partedDigests.content}`,
    ...[...kept].map(sqlName),
    "__file, __pos, __gone",
  ];
  const scans = await scansSql(rows, files, columns, withGone);
  const part = parts === 1 ? "0" : `((${partedDigests.identity} >> 96)::UBIGINT * ${parts}) >> 32`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${partedRows} AS SELECT *, (${part})::UINTEGER AS __part
     FROM (SELECT ${selected.join(", ")} FROM (${scans}))${parts === 1 ? "" : " ORDER BY __part"}`,
  );
  return parts;
}

async function scansSql(
  { env: { store } }: RowsToPart,
  { added, deleted, removed }: ForeignFiles,
  columns: readonly string[],
  withGone: boolean,
): Promise<string> {
  const came = await scanSql(added, { store, columns, taskColumn: "__file", positionColumn: "__pos" });
  const scans = [`SELECT *, false AS __gone FROM (${came})`];
  if (!withGone) return scans[0]!;
  for (const went of [
    await scanSql(removed, { store, columns }),
    await scanSql(deleted, { store, columns, rows: "deleted" }),
  ])
    scans.push(`SELECT *, NULL::INTEGER AS __file, NULL::BIGINT AS __pos, true AS __gone FROM (${went})`);
  return scans.join(" UNION ALL ");
}

/** A relation of a part's rows that went. */
export function goneOfPartSql(part: number): string {
  return `(SELECT * FROM ${partedRows} WHERE __part = ${part} AND __gone)`;
}

/** A SELECT of a part's rows that came: `__row` is their order from 0 on, `__file` and `__pos` say where they lie. */
export function addedOfPartSql(part: number): string {
  return `SELECT (row_number() OVER (ORDER BY __file, __pos) - 1)::INTEGER AS __row, *
    FROM ${partedRows} WHERE __part = ${part} AND NOT __gone`;
}

export async function dropParts(connection: KernelConnection): Promise<void> {
  await connection.run(`DROP TABLE IF EXISTS ${partedRows}`);
}
