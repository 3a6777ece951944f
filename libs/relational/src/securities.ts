import type { Queryable } from "./relational-database.ts";

/** Country of the market that a security trades on. */
export type IsoCode = "US" | "KR";

/** A row of tb_meta. Dates are texts, YYYY-MM-DD. */
export interface Security {
  readonly meta_id: number;
  readonly ticker: string;
  readonly name: string | null;
  readonly isin: string | null;
  readonly security_type: string | null;
  readonly asset_class: string | null;
  readonly sector: string | null;
  readonly iso_code: IsoCode;
  readonly marketcap: number | null;
  readonly fee: number | null;
  readonly min_date: string | null;
  readonly max_date: string | null;
}

const COLUMNS =
  "meta_id, ticker, name, isin, security_type, asset_class, sector, iso_code, marketcap, fee, min_date, max_date";

export interface SecurityFilter {
  readonly isoCode?: IsoCode;
  /** Rows after this meta_id, for paging. */
  readonly afterMetaId?: number;
  readonly limit?: number;
}

/** Securities by meta_id. */
export async function listSecurities(database: Queryable, filter: SecurityFilter = {}): Promise<Security[]> {
  const { isoCode, afterMetaId = 0, limit } = filter;
  const { rows } = await database.query<Security>(
    `SELECT ${COLUMNS} FROM tb_meta WHERE ($1::text IS NULL OR iso_code = $1) AND meta_id > $2
     ORDER BY meta_id LIMIT $3`,
    [isoCode ?? null, afterMetaId, limit ?? null],
  );
  return rows;
}

/** Those of the numbers that there are. */
export async function securitiesById(database: Queryable, metaIds: readonly number[]): Promise<Security[]> {
  const { rows } = await database.query<Security>(
    `SELECT ${COLUMNS} FROM tb_meta WHERE meta_id = ANY($1::int[]) ORDER BY meta_id`,
    [metaIds],
  );
  return rows;
}

/** Every security of one of the tickers: one that trades in both markets comes twice. */
export async function securitiesByTicker(database: Queryable, tickers: readonly string[]): Promise<Security[]> {
  const { rows } = await database.query<Security>(
    `SELECT ${COLUMNS} FROM tb_meta WHERE ticker = ANY($1::text[]) ORDER BY meta_id`,
    [tickers],
  );
  return rows;
}

/** The meta_id of each ticker of a market; unknown tickers get a row. */
export async function findOrAddSecurities(
  database: Queryable,
  isoCode: IsoCode,
  tickers: readonly string[],
): Promise<{ readonly idByTicker: ReadonlyMap<string, number>; readonly added: readonly string[] }> {
  const names = [...new Set(tickers)].sort();
  const added = await database.query<{ ticker: string }>(
    // Asked first, because a conflict costs a number all the same.
    `INSERT INTO tb_meta (ticker, iso_code) SELECT t.ticker, $2::text FROM unnest($1::text[]) AS t(ticker)
     WHERE NOT EXISTS (SELECT FROM tb_meta AS m WHERE m.iso_code = $2 AND m.ticker = t.ticker)
     ON CONFLICT (iso_code, ticker) DO NOTHING RETURNING ticker`,
    [names, isoCode],
  );
  const { rows } = await database.query<{ ticker: string; meta_id: number }>(
    "SELECT ticker, meta_id FROM tb_meta WHERE iso_code = $2 AND ticker = ANY($1::text[])",
    [names, isoCode],
  );
  return {
    idByTicker: new Map(rows.map(({ ticker, meta_id }) => [ticker, meta_id])),
    added: added.rows.map(({ ticker }) => ticker),
  };
}

/** First and last day of stored prices, YYYY-MM-DD. */
export interface DateRange {
  readonly metaId: number;
  readonly minDate: string;
  readonly maxDate: string;
}

/** Widens min_date and max_date of the securities to hold these days. */
export async function widenDateRanges(database: Queryable, ranges: readonly DateRange[]): Promise<void> {
  await database.query(
    `UPDATE tb_meta AS m SET min_date = least(m.min_date, r.min_date), max_date = greatest(m.max_date, r.max_date)
     FROM unnest($1::int[], $2::date[], $3::date[]) AS r(meta_id, min_date, max_date)
     WHERE m.meta_id = r.meta_id
       AND (m.min_date IS NULL OR m.max_date IS NULL OR r.min_date < m.min_date OR r.max_date > m.max_date)`,
    [ranges.map((r) => r.metaId), ranges.map((r) => r.minDate), ranges.map((r) => r.maxDate)],
  );
}
