/**
 * Prices over HTTP on a table of 22 million rows, and a backtest of 20 securities over 33 years.
 *
 *   node tools/run-ts.mjs bench/market.ts [--rows 22000000] [--questions 400] [--backtests 10] [--python PYTHON]
 *
 * Makes the table through libs/lake and the REST catalog in a temporary folder, with a real PostgreSQL for the
 * securities, and prints the machine, the commit and percentiles. Beside them: the same SQL by DuckDB alone in this
 * process on the very files, the engine of the backtest alone, and where PYTHON has pandas the same backtest there.
 * Asserts nothing about time.
 */
import { parseDate, recordTablesOf } from "@firn/core";
import { createDatasets } from "@firn/datasets";
import { performanceMetrics, runBacktest } from "@firn/finance";
import { sqlStringList, type KernelConnection } from "@firn/lake";
import { migrateDatabase, RelationalDatabase } from "@firn/relational";
import { startPostgres, tempFolder } from "@firn/testing";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeAskedTable, type QueryProcess } from "./load/asked-table.ts";
import { costOf } from "./load/cost.ts";
import { askHttp, percentile, printPercentiles, timeEach } from "./load/timed-questions.ts";

const FIRST_YEAR = 1990;
const YEARS = 33;
/** Weekdays of the years. */
const DAYS = 8_610;
const ASSETS = 20;
/** Questions that are not timed; footers of 64 files are read in each. */
const WARM_UPS = 10;

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "22000000" },
    questions: { type: "string", default: "400" },
    backtests: { type: "string", default: "10" },
    python: { type: "string", default: ".venv/bin/python" },
  },
});
const tickers = Math.max(ASSETS, Math.round(Number(options.rows) / DAYS));
const questions = Number(options.questions);

const prices = recordTablesOf(createDatasets().get("market")!)[0]!.definition;

function rowsOfYear(year: number): string {
  return `
    SELECT t::INTEGER AS meta_id, d::DATE AS trade_date, p AS "close", p AS adj_close, r AS gross_return,
      (hash(t, d, 1) % 1000000)::BIGINT AS volume, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS updated_at
    FROM (
      SELECT t, d, 50 + (hash(t, d) % 100000) / 1000.0 AS p, (hash(t, d, 2) % 1000) / 10000.0 - 0.05 AS r
      FROM range(1, ${tickers + 1}) AS ts(t),
        range(TIMESTAMP '${year}-01-01', TIMESTAMP '${year + 1}-01-01', INTERVAL 1 DAY) AS ds(d)
      WHERE isodow(d) <= 5)`;
}

const randomTicker = (): number => 1 + Math.floor(Math.random() * tickers);
const randomYear = (): number => FIRST_YEAR + Math.floor(Math.random() * YEARS);

interface Answer {
  readonly data: unknown[];
  readonly stats: { readonly bytes_read: number; readonly files_read: number };
}

/** Random tickers over a year, and over everything. */
async function timeDaily({ url, cpuMs }: QueryProcess): Promise<number> {
  let year: number[] = [];
  for (const whole of [false, true]) {
    const times = whole ? Math.ceil(questions / 20) : questions;
    let [bytes, files] = [0, 0];
    const before = cpuMs();
    const taken = await timeEach(times, WARM_UPS, async () => {
      const of = randomYear();
      const range = whole ? "" : `&start_date=${of}-01-01&end_date=${of}-12-31`;
      const answer = JSON.parse(await askHttp(`${url}/api/price/daily?ticker=T${randomTicker()}${range}`)) as Answer;
      if (answer.data.length < (whole ? DAYS - 10 : 250)) throw new Error(`${answer.data.length} rows`);
      bytes += answer.stats.bytes_read;
      files += answer.stats.files_read;
    });
    printPercentiles(`/api/price/daily, ${whole ? "33 years" : "a year"}`, taken);
    const calls = times + WARM_UPS;
    const cpu = `${((cpuMs() - before) / calls).toFixed(1)} ms of the service's CPU`;
    console.log(`  ${Math.round(bytes / calls / 1000)} kB in ${Math.round(files / calls)} files a question, ${cpu}`);
    if (!whole) year = taken;
  }
  return percentile(year, 0.5);
}

async function timeDuckDb(connection: KernelConnection, paths: readonly string[]): Promise<number> {
  await connection.run("SET parquet_metadata_cache = true");
  return timeHere("  DuckDB alone over all files, a year", Math.ceil(questions / 5), 5, async () => {
    const year = randomYear();
    await connection.rows(`SELECT * FROM read_parquet(${sqlStringList(paths)}) WHERE meta_id = ${randomTicker()}
      AND trade_date BETWEEN DATE '${year}-01-01' AND DATE '${year}-12-31' ORDER BY trade_date`);
  });
}

/** Calls in this process, with what they take of its CPU; the median. */
async function timeHere(name: string, times: number, warmUps: number, call: () => Promise<void>): Promise<number> {
  const { cpuMs, result: taken } = await costOf(() => timeEach(times, warmUps, call));
  printPercentiles(name, taken);
  console.log(`  ${(cpuMs / (times + warmUps)).toFixed(1)} ms of CPU each`);
  return percentile(taken, 0.5);
}

interface Series {
  readonly dates: number[];
  readonly prices: number[];
}

async function timeBacktests(
  { url, cpuMs }: QueryProcess,
  connection: KernelConnection,
  paths: readonly string[],
): Promise<void> {
  const metaIds = Array.from({ length: ASSETS }, (_, index) => index + 1);
  const series = new Map(metaIds.map((id): [number, Series] => [id, { dates: [], prices: [] }]));
  const { values } = await connection.columns(`SELECT meta_id, trade_date, adj_close
    FROM read_parquet(${sqlStringList(paths)}) WHERE meta_id <= ${ASSETS} ORDER BY meta_id, trade_date`);
  for (const [index, id] of (values[0] as number[]).entries()) {
    series.get(id)!.dates.push(values[1]![index] as number);
    series.get(id)!.prices.push(values[2]![index] as number);
  }
  const assets = [...series.values()];
  const startDate = parseDate(`${FIRST_YEAR}-01-01`)!;
  for (const algorithm of ["eq", "dual_mmt"] as const) {
    await timeHere(`${algorithm}, monthly: the engine alone`, Number(options.backtests), 3, () => {
      const curve = runBacktest({ assets, algorithm, startDate, frequency: "monthly", costBps: 10 });
      if (curve.kind === "curve") performanceMetrics(curve.nav);
      return Promise.resolve();
    });
    const body = JSON.stringify({
      meta_ids: metaIds,
      algorithm,
      start_date: `${FIRST_YEAR}-01-01`,
      rebal_freq: "monthly",
      cost_bps: 10,
    });
    const before = cpuMs();
    const overHttp = await timeEach(Number(options.backtests), 3, async () => {
      await askHttp(`${url}/api/backtest`, body);
    });
    printPercentiles("  POST /api/backtest, files read each time", overHttp);
    const each = (cpuMs() - before) / (Number(options.backtests) + 3);
    console.log(`  ${each.toFixed(0)} ms of the service's CPU each`);
    timePandas(algorithm, assets);
  }
}

/** The reference of the interop run, in its own process; the time is of the backtest alone. */
function timePandas(algorithm: string, assets: readonly Series[]): void {
  const file = join(process.cwd(), "node_modules", ".firn-scripts", "prices.json");
  writeFileSync(file, JSON.stringify({ dates: assets[0]!.dates, prices: assets.map((asset) => asset.prices) }));
  const script = `
import json, sys, time
sys.path.insert(0, "e2e/interop")
import pandas as pd
from backtest_reference import backtest, metrics
given = json.load(open(sys.argv[1]))
prices = pd.DataFrame(dict(enumerate(given["prices"])), index=pd.to_datetime(given["dates"], unit="D"))
request = {"start_date": "1990-01-01", "end_date": "2022-12-31", "rebal_freq": "monthly", "cost_bps": 10}
start, cpu = time.perf_counter(), time.process_time()
nav, _ = backtest(prices, {**request, "algorithm": sys.argv[2]})
metrics(nav)
print(f"{(time.perf_counter() - start) * 1000:.0f} ms, {(time.process_time() - cpu) * 1000:.0f} ms of CPU")`;
  const run = spawnSync(options.python, ["-c", script, file, algorithm], { encoding: "utf8" });
  console.log(
    run.status === 0 ? `  pandas, the reference of interop: ${run.stdout.trim()}` : "  no pandas to compare with",
  );
}

async function addSecurities(databaseUrl: string): Promise<void> {
  await migrateDatabase({ databaseUrl, log: () => undefined });
  const database = new RelationalDatabase({ databaseUrl, name: "bench" });
  const insert =
    "INSERT INTO tb_meta (meta_id, ticker, iso_code) SELECT t, 'T' || t, 'US' FROM generate_series(1, $1) AS t";
  await database.query(insert, [tickers]);
  await database.close();
}

async function main(): Promise<void> {
  const folder = await tempFolder("bench-market");
  const postgres = await startPostgres({ dir: `${folder.path}/postgres` });
  await addSecurities(postgres.databaseUrl);
  const years = Array.from({ length: YEARS }, (_, year) => rowsOfYear(FIRST_YEAR + year));
  const { connection, paths, startQuery, close } = await makeAskedTable(prices, years);
  console.log(`${tickers} tickers`);
  const query = await startQuery({ DATABASE_URL: postgres.databaseUrl, FIRN_RECORD_BACKTESTS: "saved" });
  const ours = await timeDaily(query);
  const alone = await timeDuckDb(connection, paths);
  console.log(`  ratio of the medians ${(ours / alone).toFixed(2)}`);
  await timeBacktests(query, connection, paths);
  await close();
  await postgres.stop();
  await folder.remove();
}

await main();
