/**
 * Whether rollups as a rebuild would leave them equal raw, found by plain sums over raw that share nothing with what
 * computed the rows: the windows are those that raw has, and the totals are raw's.
 */
import {
  columnTypeOf,
  type Dataset,
  type RebuildValidation,
  type RollupChange,
  type RollupDefinition,
  type RollupValidation,
  type StagedRows,
  type ValidatedTotal,
} from "@firn/core";
import {
  type KernelConnection,
  type LakeEnvironment,
  planScan,
  scanSql,
  sqlName,
  sqlStringList,
  type Table,
} from "@firn/lake";
import { periodOfSql } from "./rollup-sql.ts";
import type { DateRange } from "./window-source.ts";

/** Totals may differ by less than this, or by this part of their size where a double has no more digits. */
const TOTAL_TOLERANCE = 0.01;
const TOTAL_TOLERANCE_RELATIVE = 1e-12;

export interface ValidationInput {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  readonly rollups: readonly RollupDefinition[];
  readonly raw: Table;
  readonly snapshotId: bigint;
  readonly published: ReadonlyMap<string, Table>;
  readonly changes: readonly RollupChange[];
  readonly range: DateRange;
}

/** Judges the whole periods of every rollup that the range touches. */
export async function validateRebuild(input: ValidationInput): Promise<RebuildValidation> {
  const rollups: RollupValidation[] = [];
  for (const rollup of input.rollups) rollups.push(await validateRollup(input, rollup));
  return { ok: rollups.every((rollup) => rollup.ok), rollups };
}

async function validateRollup(input: ValidationInput, rollup: RollupDefinition): Promise<RollupValidation> {
  const { connection } = input;
  const sums = rollup.measures.filter((measure) => measure.fold === "sum");
  const keys = [...rollup.dimensions.map(sqlName), "period"];
  const totalName = (at: number) => `total_${at}`;
  const rawSums = sums.map((sum, at) => `, fsum(${sqlName(sum.of)}) AS ${totalName(at)}`).join("");
  const ownSums = sums.map((sum, at) => `, fsum(${sqlName(sum.column)}) AS ${totalName(at)}`).join("");
  await connection.run(`CREATE OR REPLACE TEMP TABLE validated_raw AS
    SELECT ${keys.join(", ")}, count(*) AS rows${rawSums} FROM (${await rawSql(input, rollup)}) GROUP BY ${keys.join(", ")}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE validated_summary AS
    SELECT ${keys.join(", ")}, count(*) AS rows${ownSums} FROM (${await summarySql(input, rollup)}) GROUP BY ${keys.join(", ")}`);
  const same = keys.map((key) => `r.${key} IS NOT DISTINCT FROM s.${key}`).join(" AND ");
  const totals = sums.map((_, at) => `, fsum(${totalName(at)}) AS ${totalName(at)}`).join("");
  const [[raw], [summary], [windows]] = [
    await connection.rows<Totals>(`SELECT coalesce(sum(rows), 0)::BIGINT AS rows${totals} FROM validated_raw`),
    await connection.rows<Totals>(`SELECT coalesce(sum(rows), 0)::BIGINT AS rows${totals} FROM validated_summary`),
    await connection.rows<{ missing: number; unexpected: number }>(
      `SELECT (SELECT count(*) FROM validated_raw r ANTI JOIN validated_summary s ON ${same}) AS missing,
        (SELECT count(*) FROM validated_summary r ANTI JOIN validated_raw s ON ${same}) AS unexpected`,
    ),
  ];
  await connection.run("DROP TABLE validated_raw; DROP TABLE validated_summary");
  if (!raw || !summary || !windows) throw new Error("a validation gave no totals");
  const judged = sums.map((sum, at) => judgeTotal(sum.column, raw[totalName(at)] ?? 0, summary[totalName(at)] ?? 0));
  const isRight = windows.missing === 0 && windows.unexpected === 0 && judged.every((total) => total.ok);
  return {
    rollup: rollup.name,
    ok: isRight,
    raw_rows: Number(raw.rows),
    summary_rows: Number(summary.rows),
    reduction_factor: Number(summary.rows) === 0 ? null : Number(raw.rows) / Number(summary.rows),
    missing_windows: windows.missing,
    unexpected_windows: windows.unexpected,
    totals: judged,
  };
}

type Totals = { readonly rows: number } & Readonly<Record<string, number | bigint | null>>;

/** NaN is near nothing. */
function judgeTotal(column: string, raw: number | bigint, summary: number | bigint): ValidatedTotal {
  const [one, other] = [Number(raw), Number(summary)];
  const tolerance = Math.max(TOTAL_TOLERANCE, TOTAL_TOLERANCE_RELATIVE * Math.abs(one));
  const shown = (value: number) => (Number.isFinite(value) ? value : String(value));
  return { column, raw: shown(one), summary: shown(other), ok: Math.abs(one - other) < tolerance };
}

/** Dimensions, `period`, and the columns that sums are of, of raw's rows in the range's periods. */
async function rawSql(input: ValidationInput, rollup: RollupDefinition): Promise<string> {
  const { env, dataset, raw, snapshotId } = input;
  const date = dataset.time.localDate;
  const folded = rollup.measures.filter((measure) => measure.fold === "sum").map((measure) => measure.of);
  const columns = [...new Set([...rollup.dimensions, date, ...folded])];
  const scan = await scanSql(await planScan({ env, table: raw, snapshotId }), { columns, store: env.store });
  const period = periodOfSql(rollup, sqlName(date));
  return inRange(
    `SELECT *, ${period} AS period FROM (${scan}) WHERE ${sqlName(date)} IS NOT NULL`,
    rollup,
    input.range,
  );
}

/** The rollup's rows in the range's periods as they will be: the published ones, and the changes in their place. */
async function summarySql(input: ValidationInput, rollup: RollupDefinition): Promise<string> {
  const { env, published, changes, range } = input;
  const table = published.get(rollup.name);
  if (!table) throw new Error(`the table of rollup ${rollup.name} was not loaded`);
  const change = changes.find((candidate) => candidate.rollup === rollup.name);
  const sums = rollup.measures.filter((measure) => measure.fold === "sum").map((measure) => measure.column);
  const columns = [...new Set([...rollup.table.identity, ...rollup.dimensions, rollup.periodColumns.start, ...sums])];
  const list = columns.map(sqlName).join(", ");
  const keys = rollup.table.identity.map(sqlName);
  const same = keys.map((key) => `t.${key} = c.${key}`).join(" AND ");
  let rows = await scanSql(await planScan({ env, table }), { columns, store: env.store });
  for (const staged of [change?.deletes ?? [], change?.upserts ?? []])
    if (staged.length > 0)
      rows = `SELECT t.* FROM (${rows}) t ANTI JOIN (SELECT ${keys.join(", ")} FROM ${await filesSql(env, staged)}) c ON ${same}`;
  if (change && change.upserts.length > 0)
    rows = `SELECT ${list} FROM (${rows}) UNION ALL SELECT ${list} FROM ${await filesSql(env, change.upserts)}`;
  const start = sqlName(rollup.periodColumns.start);
  const date = columnTypeOf(rollup.table, rollup.periodColumns.start) === "date" ? start : `CAST(${start} AS DATE)`;
  return inRange(`SELECT *, ${date} AS period FROM (${rows})`, rollup, range);
}

async function filesSql({ store }: LakeEnvironment, staged: readonly StagedRows[]): Promise<string> {
  const paths = await Promise.all(staged.map((file) => store.localPath(file.location, file.bytes)));
  return `read_parquet(${sqlStringList(paths)})`;
}

function inRange(relation: string, rollup: RollupDefinition, { from, to }: DateRange): string {
  const conditions = [
    ...(from === undefined ? [] : [`period >= ${periodOfSql(rollup, `DATE '${from}'`)}`]),
    ...(to === undefined ? [] : [`period <= ${periodOfSql(rollup, `DATE '${to}'`)}`]),
  ];
  return conditions.length === 0 ? relation : `SELECT * FROM (${relation}) WHERE ${conditions.join(" AND ")}`;
}
