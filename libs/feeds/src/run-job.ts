import { ingestClient, queryClient } from "@firn/client";
import { formatDate, parseDate } from "@firn/core";
import type { Queryable } from "@firn/relational";

import { Fred, FRED_BASE_URL } from "./fred.ts";
import type { JobReport } from "./job-report.ts";
import { runMacroJob } from "./macro-job.ts";
import { MarketSender } from "./market-sender.ts";
import { type JobRange, runPriceJob, type StoredPrices } from "./price-job.ts";
import { SourceHttp } from "./source-http.ts";
import { YahooChart, YAHOO_BASE_URL } from "./yahoo-chart.ts";

/** Jobs that fetch from outside, by name. */
export const JOBS = ["us-price", "kr-price", "macro"] as const;
export type JobName = (typeof JOBS)[number];

export interface JobSettings {
  readonly ingestUrl: string;
  readonly queryUrl: string;
  /** Bearer token for both, where they ask for one. */
  readonly token: string | undefined;
  readonly yahooBaseUrl: string | undefined;
  readonly fredBaseUrl: string | undefined;
  readonly fredApiKey: string | undefined;
  /** Of each source. */
  readonly requestsPerSecond: number;
}

/** A job lacks a setting; the message names it. */
export class JobSettingError extends Error {
  override readonly name = "JobSettingError";
}

/**
 * Runs one job: whatever a source does, what it gave for the others is stored.
 * @throws JobSettingError, ClientError when ingest or query is away, Error of `pg` when the database is
 */
export async function runJob(
  job: JobName,
  range: JobRange,
  settings: JobSettings,
  { database, signal }: { readonly database: Queryable; readonly signal: AbortSignal },
): Promise<JobReport> {
  const sender = new MarketSender(
    ingestClient(settings.ingestUrl, {
      gzipFromBytes: 64 * 1024,
      retry: { attemptsMax: 10 },
      token: settings.token,
    }),
    `job ${job}`,
  );
  const http = new SourceHttp({ requestsPerSecond: settings.requestsPerSecond });
  if (job === "macro") {
    const source = fredOf(http, settings);
    return runMacroJob(range, { source, sender, database, signal });
  }
  const source = new YahooChart(http, settings.yahooBaseUrl ?? YAHOO_BASE_URL);
  const market = job === "us-price" ? "US" : "KR";
  return runPriceJob(range, { market, source, stored: lakePrices(settings), sender, database, signal });
}

function fredOf(http: SourceHttp, { fredApiKey, fredBaseUrl }: JobSettings): Fred {
  const baseUrl = fredBaseUrl ?? FRED_BASE_URL;
  if (fredApiKey === undefined && baseUrl === FRED_BASE_URL) {
    throw new JobSettingError("FRED_API_KEY is not set: FRED answers nobody without a key");
  }
  return new Fred(http, { apiKey: fredApiKey ?? "", baseUrl });
}

/** Prices that are in the lake already, asked of the query service. */
function lakePrices({ queryUrl, token }: JobSettings): StoredPrices {
  const client = queryClient(queryUrl, { retry: { attemptsMax: 5 }, token });
  return {
    between: async (security, from, to, signal) => {
      if (security.max_date === null) return [];
      const found: { day: number; adjClose: number }[] = [];
      const asked = {
        ticker: security.ticker,
        market: security.iso_code === "US" ? "us" : "kr",
        start_date: formatDate(from),
        end_date: formatDate(to),
      } as const;
      for await (const row of client.rows("price.daily", asked, { signal })) {
        const day = parseDate(String(row.trade_date));
        if (day !== undefined && row.adj_close !== null) found.push({ day, adjClose: row.adj_close });
      }
      return found;
    },
  };
}
