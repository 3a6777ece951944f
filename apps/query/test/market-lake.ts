import { questionOfSubject } from "@firn/client";
import { dayOfWeek, decodeIntakeFrame, formatDate, parseDate, tablesOf, type Dataset } from "@firn/core";
import { createDatasets } from "@firn/datasets";
import { openKernel } from "@firn/lake";
import { migrateDatabase } from "@firn/relational";
import { silentLogger } from "@firn/service";
import type { AppendRecord } from "@firn/stream";
import { startPostgres } from "@firn/testing";
import { jsonBody } from "../src/answers/answer-form.ts";
import { backtestRecorder } from "../src/market/record-backtest.ts";
import { marketPlanners } from "../src/market/planners.ts";
import { PlanSession } from "../src/questions/plan-session.ts";
import { QuestionService } from "../src/questions/question-service.ts";
import { ResultCache } from "../src/questions/result-cache.ts";
import { openRelations, type Relations } from "../src/relations.ts";
import { Footers } from "../src/tables/footers.ts";
import { KernelPool } from "../src/tables/kernel-pool.ts";
import { TableCache } from "../src/tables/table-cache.ts";
import { numbers } from "./sample-rows.ts";
import { smallLake, type Row, type SmallLake } from "./small-lake.ts";

export const market: Dataset = createDatasets().get("market")!;

export interface MarketBody<Data = Row[]> {
  readonly data: Data;
  readonly meta: { readonly tables: Record<string, { snapshot_id: string | null }> };
  readonly page: { readonly cursor: string | null };
  readonly stats: { readonly rows: number; readonly cached: boolean; readonly bytes_read: number };
}

/** Tables, PostgreSQL and the service over both; results go through the real validation into the tables. */
export interface MarketLake {
  readonly lake: SmallLake;
  readonly relations: Relations;
  readonly databaseUrl: string;
  /** meta_id by ticker, `us:` or `kr:` before one that both markets have. */
  readonly ids: Readonly<Record<string, number>>;
  ask<Data = Row[]>(question: string, parameters?: Row): Promise<MarketBody<Data>>;
  /** Makes the next append fail with this. */
  failNextAppend(error: Error): void;
  table(name: string): ReturnType<typeof tablesOf>[number];
  close(): Promise<void>;
}

export interface Quote {
  readonly date: string;
  readonly adjClose: number | null;
}

/** Weekdays from a date on, as YYYY-MM-DD. */
export function weekdays(from: string, count: number): string[] {
  const dates: string[] = [];
  for (let day = parseDate(from)!; dates.length < count; day++) if (dayOfWeek(day) <= 5) dates.push(formatDate(day));
  return dates;
}

/** A seeded walk of prices over dates. */
export function walk(seed: number, dates: readonly string[], first = 100): Quote[] {
  const random = numbers(seed);
  let price = first;
  return dates.map((date) => ({ date, adjClose: (price *= 1 + (random() - 0.48) * 0.06) }));
}

/** @param quotes by ticker, `us:` or `kr:` before one that is not in the US only */
export async function marketLake(quotes: Readonly<Record<string, readonly Quote[]>>): Promise<MarketLake> {
  const lake = await smallLake(tablesOf(market));
  const postgres = await startPostgres({ dir: `${lake.folder}/postgres` });
  await migrateDatabase({ databaseUrl: postgres.databaseUrl, log: () => undefined });
  const relations = openRelations(postgres.databaseUrl);
  const table = (name: string) => tablesOf(market).find((one) => one.name === name)!;
  const ids: Record<string, number> = {};
  for (const [name, list] of Object.entries(quotes)) {
    const [code, ticker] = name.includes(":") ? (name.split(":") as [string, string]) : ["us", name];
    const { rows } = await relations.query<{ meta_id: number }>(
      "INSERT INTO tb_meta (ticker, name, iso_code) VALUES ($1, $2, $3) RETURNING meta_id",
      [ticker, `${ticker} Inc.`, code.toUpperCase()],
    );
    ids[name] = rows[0]!.meta_id;
    if (list.length > 0) await lake.append(table(`${code}_stocks_price`), priceRows(ids[name], list));
  }
  const kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: `${lake.folder}/spill-query` });
  const pool = await KernelPool.open(kernel, { concurrency: 2, waitingMax: 100, timeoutMs: 20_000 });
  const reading = {
    env: lake.env,
    tables: new TableCache(lake.env),
    pool,
    footers: new Footers(lake.env.store),
    results: new ResultCache(1_000_000),
    completeThrough: () => Promise.resolve(null),
  };
  let failure: Error | undefined;
  const append = async (records: readonly AppendRecord[]) => {
    const error = failure;
    failure = undefined;
    if (error !== undefined) throw error;
    await writeRecords(lake, records);
    return { lastSequence: 1 };
  };
  const service = new QuestionService({
    ...reading,
    datasets: new Map([["market", market]]),
    relations,
    planners: marketPlanners({
      relations,
      choices: { benchmark: "INDEX", growthSeries: "USALOLITOAASTSAM", priceIndexSeries: "CPIAUCSL" },
      recordBacktest: backtestRecorder({
        datasets: new Map([["market", market]]),
        shards: 4,
        relations,
        intake: () => ({ append }),
        session: () => new PlanSession(reading, {}),
        recordsAll: false,
        nowMs: Date.now,
        log: silentLogger(),
      }),
    }),
  });
  return {
    lake,
    relations,
    databaseUrl: postgres.databaseUrl,
    ids,
    table,
    ask: async (question, parameters = {}) =>
      JSON.parse(jsonBody(await service.ask(questionOfSubject(question)!, parameters))) as never,
    failNextAppend: (error) => void (failure = error),
    close: async () => {
      pool.close();
      kernel.close();
      await relations.close();
      await postgres.stop();
      await lake.close();
    },
  };
}

export function priceRows(metaId: number, quotes: readonly Quote[]): Row[] {
  return quotes.map(({ date, adjClose }, index) => {
    const before = quotes[index - 1]?.adjClose;
    const change = adjClose === null || before == null ? null : adjClose / before - 1;
    return {
      meta_id: metaId,
      trade_date: date,
      close: adjClose,
      adj_close: adjClose,
      gross_return: change,
      volume: index,
      updated_at: "2026-06-01T00:00:00Z",
    };
  });
}

/** What validator and catalog-writer do with records of INTAKE: the rows of every payload go into their tables. */
async function writeRecords(lake: SmallLake, records: readonly AppendRecord[]): Promise<void> {
  for (const { subject, data } of records) {
    for (const payload of decodeIntakeFrame(data)) {
      const run = market.beginRun({ strict: true, defaultZone: "UTC" }, 1_780_000_000_000_000);
      run.add({ ...payload, subject, shard: Number(subject.split(".").at(-1)), sequence: 1 });
      const { rows, others = new Map<string, never>(), rejected } = run.finish();
      if (rejected.length > 0) throw new Error(`refused: ${rejected[0]!.error_message}`);
      for (const [name, { rows: count, columns }] of [[market.raw.name, rows] as const, ...others]) {
        if (count === 0) continue;
        const definition = tablesOf(market).find((one) => one.name === name)!;
        await lake.upsert(
          definition,
          Array.from({ length: count }, (_, index) =>
            Object.fromEntries(
              definition.columns.map(({ name: column, type }) => [column, written(columns[column]![index], type)]),
            ),
          ),
        );
      }
    }
  }
}

/** A batch's value as the small lake takes it. */
function written(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null;
  if (type === "date") return formatDate(value as number);
  return type === "timestamptz" ? new Date(Number(value) / 1000).toISOString() : value;
}
