import { formatDate, recordTablesOf, type Dataset } from "@firn/core";
import { isTradingDay, lastTradingDay, type Market, type MarketRow } from "@firn/feeds";
import {
  definedIdentifier,
  gte,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  planScan,
  scanSql,
} from "@firn/lake";

/** What one rule found about one subject of a table; a row of tb_quality. */
export interface Finding {
  readonly table: string;
  readonly rule: "freshness" | "nulls" | "returns" | "volume" | "gaps";
  /** A ticker's meta_id, or "all". */
  readonly subject: string;
  readonly passed: boolean;
  readonly findings: number;
  readonly detail: string | null;
}

/** Newest rows that are looked at, days. */
const WINDOW_DAYS = 90;
/** A day's prices may be missing until the job has run. */
const FRESH_DAYS_ALLOWED = 1;
const RETURN_MAX = 0.5;
const SUBJECTS_NAMED_MAX = 50;

const PRICES: readonly { readonly table: string; readonly market: Market }[] = [
  { table: "us_stocks_price", market: "US" },
  { table: "kr_stocks_price", market: "KR" },
];

export interface QualityParts {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
}

/**
 * Checks the prices of both markets: the newest day against the trading calendar, and in the 90 days up to it nulls of
 * adj_close, returns beyond ±50 %, days without volume (where any is known), and trading days that a ticker lacks between
 * its first and last day. A table without rows is not checked.
 * @param today days since 1970-01-01, UTC
 */
export async function checkQuality(parts: QualityParts, today: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { table, market } of PRICES) findings.push(...(await checkPrices(parts, table, market, today)));
  return findings;
}

async function checkPrices(
  { connection, dataset, env }: QualityParts,
  name: string,
  market: Market,
  today: number,
): Promise<Finding[]> {
  const { definition } = recordTablesOf(dataset).find((table) => table.definition.name === name)!;
  const table = await loadTable(env, definedIdentifier(definition));
  const scan = async (columns: readonly string[], from?: number) =>
    scanSql(await planScan({ env, table, where: from === undefined ? undefined : gte("trade_date", from) }), {
      store: env.store,
      columns,
    });
  const [newest] = await connection.rows<{ day: number | null }>(
    `SELECT max(trade_date) - DATE '1970-01-01' AS day FROM (${await scan(["trade_date"])})`,
  );
  if (newest?.day === null || newest === undefined) return [];
  const last = Number(newest.day);
  const full = `${definition.namespace}.${name}`;
  const of = (rule: Finding["rule"], subject: string, count: number, detail: string | null): Finding => ({
    table: full,
    rule,
    subject,
    passed: count === 0,
    findings: count,
    detail: count === 0 ? null : detail,
  });
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE quality_rows AS ${await scan(["meta_id", "trade_date", "adj_close", "gross_return", "volume"], last - WINDOW_DAYS)}`,
  );
  const found: Finding[] = [freshness(market, last, today, of)];
  const counted = [
    { rule: "nulls", condition: "adj_close IS NULL", what: "rows without adj_close" },
    { rule: "returns", condition: `abs(gross_return) > ${RETURN_MAX}`, what: `returns beyond ±${RETURN_MAX * 100} %` },
    { rule: "volume", condition: "volume = 0", what: "days without volume" },
  ] as const;
  for (const { condition, rule, what } of counted) {
    const rows = await connection.rows<{ meta_id: number; n: number; day: string }>(
      `SELECT meta_id, count(*) AS n, CAST(max(trade_date) AS VARCHAR) AS day FROM quality_rows WHERE ${condition}
       GROUP BY meta_id ORDER BY n DESC, meta_id LIMIT ${SUBJECTS_NAMED_MAX}`,
    );
    const total = rows.reduce((sum, { n }) => sum + Number(n), 0);
    found.push(of(rule, "all", total, `${total} ${what}`));
    for (const { day, meta_id, n } of rows)
      found.push(of(rule, String(meta_id), Number(n), `${n} ${what}, last on ${day}`));
  }
  found.push(...(await gaps(connection, market, of)));
  await connection.run("DROP TABLE quality_rows");
  return found;
}

type MakeFinding = (rule: Finding["rule"], subject: string, count: number, detail: string | null) => Finding;

function freshness(market: Market, last: number, today: number, of: MakeFinding): Finding {
  const due = lastTradingDay(market, today - FRESH_DAYS_ALLOWED);
  let missing = 0;
  for (let day = last + 1; day <= due; day++) if (isTradingDay(market, day)) missing++;
  return of(
    "freshness",
    "all",
    missing,
    `newest day ${formatDate(last)}, ${missing} trading days up to ${formatDate(due)} are missing`,
  );
}

async function gaps(connection: KernelConnection, market: Market, of: MakeFinding): Promise<Finding[]> {
  const rows = await connection.rows<{ meta_id: number; days: number[] }>(
    `SELECT meta_id, list_sort(list(trade_date - DATE '1970-01-01')) AS days FROM quality_rows GROUP BY meta_id ORDER BY meta_id`,
  );
  const found: Finding[] = [];
  let total = 0;
  for (const { days, meta_id } of rows) {
    const there = new Set([...days].map(Number));
    const list = [...there].sort((one, other) => one - other);
    const missing: number[] = [];
    for (let day = list[0]!; day <= list.at(-1)!; day++)
      if (!there.has(day) && isTradingDay(market, day)) missing.push(day);
    total += missing.length;
    if (missing.length === 0 || found.length >= SUBJECTS_NAMED_MAX) continue;
    found.push(
      of(
        "gaps",
        String(meta_id),
        missing.length,
        `${missing.length} trading days missing, first ${formatDate(missing[0]!)}`,
      ),
    );
  }
  return [of("gaps", "all", total, `${total} trading days missing`), ...found];
}

/** Rows of tb_quality. */
export function qualityRows(findings: readonly Finding[], today: number): MarketRow[] {
  return findings.map(({ detail, findings: count, passed, rule, subject, table }) => ({
    check_date: formatDate(today),
    table_name: table,
    rule,
    subject,
    passed,
    findings: count,
    detail,
  }));
}
