import { QUESTIONS as ALL_QUESTIONS, questionKey } from "@firn/client";
import type { QuestionDefinition } from "@firn/core";
import { currentSnapshot, definedIdentifier, loadTable } from "@firn/lake";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { everyLake, type EveryLake } from "./every-lake.ts";
import { priceRows, walk, weekdays } from "./market-lake.ts";
import { aggregate, errorRow, rawRow, samples } from "./sample-rows.ts";
import { health, type Row } from "./small-lake.ts";

/** Every question of these lakes, asked of the past: by an instant, and by a snapshot of a table that it reads. */
const LAKES = ["health", "sales", "market"];
const QUESTIONS = ALL_QUESTIONS.filter(({ dataset, ...of }) => LAKES.includes("lake" in of ? of.lake : dataset));
const asked: Readonly<Record<string, Row>> = {
  "health.daily": { user_id: "anna", data_type: "heartRate" },
  "health.weekly": { user_id: "anna", data_type: "heartRate" },
  "health.monthly": { user_id: "anna", data_type: "heartRate" },
  "health.compare": { user_id: "anna", data_type: "heartRate", years: "2024,2025", measure: "count" },
  "health.top": { data_type: "heartRate", by: "count" },
  "health.raw": { user_id: "anna" },
  "health.errors": {},
  "health.types": { user_id: "anna" },
  "health.latest": { user_id: "anna" },
  "sales.daily-summary": {},
  "sales.revenue": {},
  "sales.compare": {},
  "sales.errors": {},
  "meta.list": {},
  "meta.tickers": {},
  "meta.security": { meta_id: 1 },
  "price.daily": { ticker: "A" },
  "price.monthly": { tickers: "A,B" },
  "price.aggregate": { tickers: "A,B", start_date: "2024-01-01" },
  "price.cross-market": { us_ticker: "A", kr_ticker: "K" },
  "portfolio.list": {},
  "portfolio.performance": { port_id: 1 },
  "portfolio.nav": { port_id: 1 },
  "portfolio.rebalances": { port_id: 1 },
  "portfolio.metrics": { port_id: 1 },
  "portfolio.benchmark": { port_id: 1, ticker: "A" },
  "backtest.run": { meta_ids: [1, 2], algorithm: "eq", start_date: "2024-01-01" },
  "regime.list": {},
  "market.errors": {},
};

const dates = weekdays("2024-01-01", 130);
const [days, weeks, months] = health.rollups.map((rollup) => rollup.table);
let lake: EveryLake;
/** The instant between the two states, and what each question answered then. */
let between: string;
const answers = new Map<string, unknown>();

beforeAll(async () => {
  lake = await everyLake();
  await fill(1);
  for (const question of QUESTIONS) answers.set(questionKey(question), (await ask(question)).data);
  // PostgreSQL and the tables share the clock of this machine, which goes on.
  await sleep(20);
  between = new Date().toISOString();
  await sleep(20);
  await fill(2);
}, 240_000);
afterAll(() => lake?.close());

function ask(question: QuestionDefinition, more: Row = {}) {
  return lake.ask(question, { ...asked[questionKey(question)], ...more });
}

/** State 1: something in every table. State 2: other rows in all of them, and new values of old ones. */
async function fill(state: 1 | 2): Promise<void> {
  await fillHealth(state);
  await fillSales(state);
  await fillPrices(state);
  await fillPortfolio(state);
}

async function fillHealth(state: 1 | 2): Promise<void> {
  const some = samples(state === 1 ? "2024-11-20" : "2025-02-01", 25, 2, state);
  await lake.lake.append(
    health.raw,
    some.map((sample) => rawRow({ ...sample, id: `${state}-${sample.id}` })),
  );
  for (const [table, period] of [
    [days, "day"],
    [weeks, "week"],
    [months, "month"],
  ] as const)
    await lake.lake.upsert(table!, aggregate(some, period));
  await fillErrors("health_data_errors", state);
}

const fillErrors = (name: string, state: 1 | 2) =>
  lake.lake.append(
    lake.table(name),
    Array.from({ length: 10 }, (_, n) => errorRow(n + 10 * state)),
  );

async function fillSales(state: 1 | 2): Promise<void> {
  const amount = 10 * state;
  const day = { transaction_date: `2025-01-1${state}`, product_id: 7 };
  const sale = { ...day, transaction_id: `t${state}`, quantity: 1, unit_price: amount, amount };
  await lake.lake.append(lake.table("sales_transactions_raw"), [sale]);
  const value = { avg_transaction_value: amount, max_transaction_value: amount, min_transaction_value: amount };
  const summary = { ...day, ...value, transaction_count: 1, total_quantity: 1, total_revenue: amount };
  await lake.lake.append(lake.table("sales_daily_summary"), [summary]);
  await fillErrors("sales_errors", state);
}

async function fillPrices(state: 1 | 2): Promise<void> {
  const securities = [
    [1, "A", "US"],
    [2, "B", "US"],
    [3, "K", "KR"],
  ] as const;
  const updated_at = "2026-06-01T00:00:00Z";
  for (const [id, ticker, iso] of securities) {
    const name = `${ticker} in state ${state}`;
    await lake.relations.query(
      `INSERT INTO tb_meta (meta_id, ticker, name, iso_code) VALUES ($1, $2, $3, $4)
       ON CONFLICT (meta_id) DO UPDATE SET name = excluded.name`,
      [id, ticker, name, iso],
    );
    await lake.lake.upsert(lake.table("tb_meta"), [{ meta_id: id, ticker, name, iso_code: iso, updated_at }]);
    const prices = priceRows(id, walk(id + 10 * state, dates));
    await lake.lake.upsert(lake.table(`${iso.toLowerCase()}_stocks_price`), prices);
  }
  const firsts = Array.from({ length: 36 }, (_, n) => new Date(Date.UTC(2021, n, 1)).toISOString().slice(0, 10));
  const macro = [1, 2].flatMap((id) =>
    walk(20 * state + id, firsts).map(({ date, adjClose }) => ({
      macro_id: id,
      base_date: date,
      value: adjClose,
      updated_at,
    })),
  );
  await lake.lake.upsert(lake.table("tb_macro_data"), macro);
  await fillErrors("market_errors", state);
}

async function fillPortfolio(state: 1 | 2): Promise<void> {
  const updated_at = "2026-06-01T00:00:00Z";
  await lake.relations.query("INSERT INTO tb_portfolio (port_id, port_name) VALUES ($1, $2)", [state, `p${state}`]);
  const metrics = { ann_ret: state / 10, ann_vol: 0.2 };
  await lake.relations.query(
    `INSERT INTO tb_metrics (port_id, ann_ret, ann_vol) VALUES (1, $1, $2)
     ON CONFLICT (port_id) DO UPDATE SET ann_ret = excluded.ann_ret`,
    [metrics.ann_ret, metrics.ann_vol],
  );
  await lake.lake.upsert(lake.table("tb_metrics"), [{ port_id: 1, ...metrics, updated_at }]);
  const nav = walk(30 + state, dates).map(({ date, adjClose }) => ({
    trade_date: date,
    port_id: 1,
    value: adjClose,
    updated_at,
  }));
  await lake.lake.upsert(lake.table("tb_nav"), nav);
  const weights = [1, 2].map((id) => ({
    rebal_date: dates[0],
    port_id: 1,
    meta_id: id,
    weight: id === state ? 0.75 : 0.25,
  }));
  await lake.lake.upsert(lake.table("tb_rebalance"), weights);
}

/** Without what the reading took, and the bytes of files that were written anew meanwhile. */
const rowsOf = (data: unknown): unknown =>
  JSON.parse(JSON.stringify(data, (name, value: unknown) => (name === "elapsed_ms" || name === "bytes" ? 0 : value)));

/** The newest of the snapshots; all others of the answer are as they were when it was made. */
async function newestOf(ids: readonly string[]): Promise<string> {
  const times = new Map<string, number>();
  for (const table of lake.tables) {
    const { metadata } = await loadTable(lake.lake.env, definedIdentifier(table));
    for (const snapshot of metadata.snapshots) times.set(String(snapshot["snapshot-id"]), snapshot["timestamp-ms"]);
  }
  return ids.toSorted((one, other) => times.get(one)! - times.get(other)!).at(-1)!;
}

it("every question of these lakes is asked here", () => {
  expect(Object.keys(asked).sort()).toEqual(QUESTIONS.map(questionKey).sort());
});

it.each(QUESTIONS.map((question) => [questionKey(question), question] as const))(
  "%s answers as it did then",
  async (key, question) => {
    const then = rowsOf(answers.get(key));
    expect(rowsOf((await ask(question)).data), "another answer now").not.toEqual(then);
    const past = await ask(question, { as_of: between });
    expect(rowsOf(past.data)).toEqual(then);

    const ids = Object.values(past.meta.tables).flatMap(({ snapshot_id: id }) => (id === null ? [] : [id]));
    // The list of portfolios is of no table; a snapshot of any names its time.
    const nav = async () => (await ask(find("portfolio.nav"), { as_of: between })).meta.tables["portfolio.tb_nav"]!;
    const id = ids.length > 0 ? await newestOf(ids) : (await nav()).snapshot_id!;
    const bySnapshot = await ask(question, { snapshot_id: id });
    expect(rowsOf(bySnapshot.data)).toEqual(then);
    expect(bySnapshot.meta.tables).toEqual(past.meta.tables);

    const before = await ask(question, { as_of: "2020-01-01T00:00:00Z" }).catch((error: unknown) => error);
    expect(before).not.toMatchObject({ data: then });
  },
);

const find = (key: string): QuestionDefinition => QUESTIONS.find((question) => questionKey(question) === key)!;

it("a snapshot of a table that the answer is not of is refused", async () => {
  const table = await loadTable(lake.lake.env, definedIdentifier(health.raw));
  const ofRaw = String(currentSnapshot(table.metadata)!["snapshot-id"]);
  for (const key of ["health.daily", "price.cross-market", "sales.compare"]) {
    await expect(ask(find(key), { snapshot_id: ofRaw }), key).rejects.toMatchObject({
      status: 400,
      errors: [{ field: "snapshot_id" }],
    });
  }
});
