// The market lake's part of the interop run: what is asked of Firn, and what other engines have to find.
import { ask } from "./ask.mjs";

const algorithms = ["eq", "dual_mmt"];
const frequencies = ["monthly", "quarterly", "yearly"];
const costs = [0, 10];
/** All securities over all years, and five of them, in another order, from and to days in the middle of a month. */
const windows = [
  { name: "20 securities", tickers: undefined, start_date: "1990-01-02", end_date: "2022-12-28" },
  {
    name: "5 securities",
    tickers: ["WMT", "BAC", "AAPL", "PFE", "HD"],
    start_date: "2001-02-14",
    end_date: "2019-11-03",
  },
];
const benchmark = "SP500";
export const saved = "interop";

/** Every security's meta_id by ticker. */
export async function securities(query) {
  const { data } = await get(`${query}/api/meta/tickers?market=us`);
  return new Map(data.map(({ ticker, meta_id: id }) => [ticker, id]));
}

/** The backtests with Firn's answers, as backtest_reference.py reads them. */
export async function backtests(query) {
  const ids = await securities(query);
  const all = [...ids.keys()].filter((ticker) => ticker !== benchmark).sort();
  const tickers = Object.fromEntries([...ids].map(([ticker, id]) => [id, ticker]));
  const cases = [];
  for (const { name, tickers: own = all, ...window } of windows)
    for (const algorithm of algorithms)
      for (const rebal_freq of frequencies)
        for (const cost_bps of costs) {
          const request = {
            meta_ids: own.map((ticker) => ids.get(ticker)),
            algorithm,
            rebal_freq,
            cost_bps,
            ...window,
          };
          const { data: answer } = await backtest(query, { ...request, benchmark });
          const title = `${algorithm} ${rebal_freq}, ${cost_bps} bps, ${name}`;
          cases.push({ name: title, request: { ...request, benchmark }, answer, tickers });
        }
  return cases;
}

/** Saves a portfolio of five securities; its document. */
export async function savePortfolio(query) {
  const ids = await securities(query);
  const meta_ids = windows[1].tickers.map((ticker) => ids.get(ticker));
  const request = { meta_ids, algorithm: "eq", start_date: "2021-01-04", end_date: "2022-12-28", cost_bps: 10 };
  return (await backtest(query, { ...request, save_as: saved })).data;
}

const mirrorLimitMs = 60_000;

/** Waits until the tables that mirror PostgreSQL have every security and the portfolio's metrics. */
export async function mirrored(query, portId) {
  const wanted = (await securities(query)).size;
  const now = "as_of=2199-01-01T00:00:00Z";
  const deadline = Date.now() + mirrorLimitMs;
  for (;;) {
    const { data: metas } = await get(`${query}/api/meta?${now}`);
    const { data: metrics } = await get(`${query}/api/portfolio/${portId}/metrics?${now}`);
    if (metas.length >= wanted && metrics.length === 1) return;
    if (Date.now() > deadline) throw new Error(`the mirrors have ${metas.length} of ${wanted} securities`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** What the join has to find from `since` on: every rebalance up to a price's date joins. */
export function joined({ nav, weights }, since) {
  const days = nav.filter((point) => point.trade_date >= since);
  const figures = { rows: 0, weight: 0, nav: 0 };
  for (const { trade_date: date, value } of days)
    for (const { rebal_date: rebalanced, weight } of weights) {
      if (rebalanced > date) continue;
      figures.rows += 1;
      figures.weight += weight;
      figures.nav += value;
    }
  return figures;
}

async function backtest(query, request) {
  const headers = { "content-type": "application/json" };
  return get(`${query}/api/backtest`, { method: "POST", headers, body: JSON.stringify(request) });
}

async function get(url, options) {
  const answer = await ask(url, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${body.detail}`);
  return body;
}
