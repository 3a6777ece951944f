import type { Queryable } from "./relational-database.ts";

/** A row of tb_portfolio with its strategy. */
export interface Portfolio {
  readonly port_id: number;
  readonly port_name: string;
  readonly strategy_id: number | null;
  readonly strategy: string | null;
  readonly strategy_name: string | null;
}

/** A row of tb_metrics; fractions, not per cent. Null where a metric has no value. */
export interface PortfolioMetrics {
  readonly ann_ret: number | null;
  readonly ann_vol: number | null;
  readonly sharpe: number | null;
  readonly mdd: number | null;
  readonly skew: number | null;
  readonly kurt: number | null;
  readonly var: number | null;
  readonly cvar: number | null;
}

const METRICS = ["ann_ret", "ann_vol", "sharpe", "mdd", "skew", "kurt", "var", "cvar"] as const;
const PORTFOLIO = `SELECT p.port_id, p.port_name, p.strategy_id, s.strategy, s.strategy_name
  FROM tb_portfolio AS p LEFT JOIN tb_strategy AS s USING (strategy_id)`;

/** Portfolios by port_id, after one of them for paging; those that were stored by an instant, where one is named. */
export async function listPortfolios(
  database: Queryable,
  page: { readonly afterPortId?: number; readonly limit?: number; readonly storedByMs?: number } = {},
): Promise<Portfolio[]> {
  const { rows } = await database.query<Portfolio>(
    `${PORTFOLIO} WHERE p.port_id > $1 AND ($3::float8 IS NULL OR p.created_at <= to_timestamp($3 / 1000))
     ORDER BY p.port_id LIMIT $2`,
    [page.afterPortId ?? 0, page.limit ?? null, page.storedByMs ?? null],
  );
  return rows;
}

/** undefined where there is none of this number */
export async function portfolioById(database: Queryable, portId: number): Promise<Portfolio | undefined> {
  const { rows } = await database.query<Portfolio>(`${PORTFOLIO} WHERE p.port_id = $1`, [portId]);
  return rows[0];
}

/** undefined where there is none of this name */
export async function portfolioByName(database: Queryable, name: string): Promise<Portfolio | undefined> {
  const { rows } = await database.query<Portfolio>(`${PORTFOLIO} WHERE p.port_name = $1`, [name]);
  return rows[0];
}

/** The stored metrics of a portfolio; undefined where none are. */
export async function metricsOf(database: Queryable, portId: number): Promise<PortfolioMetrics | undefined> {
  const { rows } = await database.query<PortfolioMetrics>(
    `SELECT ${METRICS.map((name) => `"${name}"`).join(", ")} FROM tb_metrics WHERE port_id = $1`,
    [portId],
  );
  return rows[0];
}

export interface NewPortfolio {
  readonly name: string;
  /** Of tb_strategy. */
  readonly strategy: string;
  readonly metaIds: readonly number[];
  readonly metrics: PortfolioMetrics;
}

/**
 * Adds a portfolio with its universe and metrics, and answers its port_id; call it in a transaction.
 * @throws Error for which `isUniqueViolation` holds when the name is taken
 */
export async function addPortfolio(database: Queryable, portfolio: NewPortfolio): Promise<number> {
  const { rows } = await database.query<{ port_id: number }>(
    `INSERT INTO tb_portfolio (port_name, strategy_id)
     VALUES ($1, (SELECT strategy_id FROM tb_strategy WHERE strategy = $2)) RETURNING port_id`,
    [portfolio.name, portfolio.strategy],
  );
  const portId = rows[0]!.port_id;
  await database.query("INSERT INTO tb_universe (port_id, meta_id) SELECT $1, unnest($2::int[])", [
    portId,
    [...new Set(portfolio.metaIds)],
  ]);
  await putMetrics(database, portId, portfolio.metrics);
  return portId;
}

/** Stores a portfolio's metrics, in the place of those that it had. */
async function putMetrics(database: Queryable, portId: number, metrics: PortfolioMetrics): Promise<void> {
  const names = METRICS.map((name) => `"${name}"`);
  await database.query(
    `INSERT INTO tb_metrics (port_id, ${names.join(", ")}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (port_id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    [portId, ...METRICS.map((name) => metrics[name])],
  );
}

/** Takes a portfolio away, with its universe and metrics: what is undone when its rows could not be stored. */
export async function removePortfolio(database: Queryable, portId: number): Promise<void> {
  await database.query("DELETE FROM tb_portfolio WHERE port_id = $1", [portId]);
}
