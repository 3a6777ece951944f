/** Prices go by file into a lake of processes, a backtest over them is saved, and every table has what was answered. */
import { queryClient, type QueryClient } from "@firn/client";
import { dayOfWeek, formatDate, parseDate } from "@firn/core";
import { Child, tempFolder, waitFor, type TempFolder } from "@firn/testing";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const dates: string[] = [];
for (let day = parseDate("2024-01-01")!; dates.length < 60; day++) if (dayOfWeek(day) <= 5) dates.push(formatDate(day));
const priceOf = (ticker: string, index: number): number => (ticker === "UP" ? 100 + index : 50 + (index % 7));

let folder: TempFolder;
let lake: Child;
let client: QueryClient;

beforeAll(async () => {
  folder = await tempFolder("market");
  const start = [join(root, "tools", "start.mjs"), "--no-sample", "--ports", "auto", "--data-dir", folder.path];
  lake = new Child(process.execPath, start, { cwd: root });
  const endpoints = join(folder.path, "endpoints.json");
  await waitFor(() => existsSync(endpoints), { limitMs: 90_000, what: "the start of the lake" });
  client = queryClient((JSON.parse(readFileSync(endpoints, "utf8")) as { query: string }).query);
}, 120_000);

afterAll(async () => {
  lake?.process.kill("SIGINT");
  await waitFor(() => lake.hasExited, { limitMs: 60_000, what: "the end of the lake" });
  await folder.remove();
}, 90_000);

/** A file as spreadsheets write them: byte order mark, CRLF, quotes; and with rows that are wrong. */
async function writePrices(): Promise<string> {
  const good = dates.flatMap((date, index) =>
    ["UP", "WAVE"].map((ticker) => `"${ticker}",${date},${priceOf(ticker, index)},${priceOf(ticker, index)},`),
  );
  const twice = `UP,${dates[30]},1,1,`;
  const bad = [`UP,${dates[5]},0,0,`, `WAVE,${dates[6]},-3,-3,`, "UP,2024-02-30,5,5,"];
  const lines = ["ticker,trade_date,close,adj_close,volume", twice, ...good, ...bad];
  const file = join(folder.path, "prices.csv");
  await writeFile(file, `\ufeff${lines.join("\r\n")}\r\n`);
  return file;
}

function firn(...args: string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, "firn.mjs"), ...args, "--data-dir", folder.path], (error, stdout) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout }),
    );
  });
}

it("a file's good rows are prices, its bad ones are named, and a saved backtest of them is in every table", async () => {
  const { code, stdout } = await firn("import", "prices", await writePrices(), "--market", "us", "--json");
  const report = JSON.parse(stdout) as { bad: { line: number }[] };
  expect(code).toBe(1);
  const firstBad = 3 + 2 * dates.length;
  expect(report.bad.map(({ line }) => line)).toEqual([firstBad, firstBad + 1, firstBad + 2]);

  const { data: tickers } = await client.ask("meta.tickers", {});
  expect(tickers.map((row) => row.ticker).sort()).toEqual(["UP", "WAVE"]);
  const { data: prices } = await client.ask("price.daily", { ticker: "UP" });
  expect(prices.map((row) => row.trade_date)).toEqual(dates);
  for (const [index, { adj_close: price, gross_return: change }] of prices.entries()) {
    expect(price).toBe(priceOf("UP", index));
    if (index === 0) expect(change).toBeNull();
    else expect(change).toBeCloseTo(priceOf("UP", index) / priceOf("UP", index - 1) - 1, 12);
  }

  const request = {
    meta_ids: tickers.map((row) => row.meta_id),
    algorithm: "eq",
    start_date: dates[0]!,
    end_date: dates.at(-1)!,
    cost_bps: 10,
    save_as: "Two",
  } as const;
  const { data } = await client.ask("backtest.run", request);
  const portId = data.port_id!;
  const nav = await client.ask("portfolio.nav", { port_id: portId });
  expect(nav.data.map((row) => row.value)).toEqual(data.nav.map((point) => point.value));
  const weights = await client.ask("portfolio.rebalances", { port_id: portId });
  expect(weights.data.length).toBe(data.weights.length);
  const metrics = await client.ask("portfolio.metrics", { port_id: portId });
  expect(metrics.data).toEqual([{ port_id: portId, ...data.metrics }]);
  const performance = await client.ask("portfolio.performance", { port_id: portId, start_date: dates[3]! });
  expect(performance.data[0]).toMatchObject({ trade_date: dates[3], portfolio_value: data.nav[3]!.value });
  await expect(client.ask("backtest.run", request)).rejects.toMatchObject({ status: 409 });

  const { settled, datasets } = await client.pipeline({ waitMs: 30_000 });
  expect(settled).toBe(true);
  const { received, stored, corrected, duplicates, rejected } = datasets["market"]!;
  expect(received).toBe(stored + corrected + duplicates + rejected);
  expect(rejected).toBe(0);
}, 180_000);
