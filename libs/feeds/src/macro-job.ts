import { formatDate } from "@firn/core";
import { listMacroSeries, type Queryable } from "@firn/relational";

import type { JobReport } from "./job-report.ts";
import type { MarketRow, MarketSender } from "./market-sender.ts";
import type { JobRange } from "./price-job.ts";
import type { MacroSource, Observation } from "./price-source.ts";
import { SourceError } from "./source-http.ts";

export interface MacroJobParts {
  readonly source: MacroSource;
  readonly sender: MarketSender;
  readonly database: Queryable;
  readonly signal: AbortSignal;
}

/** Won for one dollar, at FRED. */
const EXCHANGE_RATE = { series: "DEXKOUS", base: "USD", quote: "KRW" } as const;
/** Values are revised for years: each run fetches all of them, and what did not change is a duplicate. */
const FIRST_DAY = -25_567;

/** Fetches and stores the series of tb_macro and the exchange rate. One that fails is reported, the others are stored. */
export async function runMacroJob({ from, to }: JobRange, parts: MacroJobParts): Promise<JobReport> {
  const { database, sender, signal, source } = parts;
  const range = { from: formatDate(from ?? FIRST_DAY), to: formatDate(to) };
  const failed: { subject: string; reason: string }[] = [];
  let rows = 0;
  const store = async (
    series: string,
    table: string,
    rowOf: (observation: Observation) => MarketRow | undefined,
  ): Promise<void> => {
    try {
      const found = (await source.observations(series, range, signal)).map(rowOf).filter((row) => row !== undefined);
      await sender.send(table, found, signal);
      rows += found.length;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SourceError)) throw error;
      failed.push({ subject: series, reason: error.message });
    }
  };
  const all = await listMacroSeries(database);
  for (const { fred, macro_id } of all) {
    await store(fred, "tb_macro_data", ({ date, value }) => ({
      macro_id,
      base_date: date,
      value,
      fred_series_id: fred,
    }));
  }
  const { base, quote, series } = EXCHANGE_RATE;
  await store(series, "tb_exchange_rates", ({ date, value }) =>
    value === null ? undefined : { base, quote, rate_date: date, rate: value },
  );
  return { job: "macro", subjects: all.length + 1, rows, up_to_date: 0, failed };
}
