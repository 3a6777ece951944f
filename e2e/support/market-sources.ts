/** A server that answers as Yahoo's charts and FRED do, in the shapes that they document. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface MarketSources {
  readonly url: string;
  /** What was asked for: the last part of a chart's path, or a series. */
  readonly asked: readonly string[];
  stop(): void;
}

/**
 * @param closes of each ticker, by date; other tickers are unknown
 * @param observations of each series, by date; other series have none
 */
export async function startMarketSources(
  closes: Readonly<Record<string, Readonly<Record<string, number>>>>,
  observations: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Promise<MarketSources> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://sources");
    const series = searchParams.get("series_id");
    const subject = series ?? decodeURIComponent(pathname.split("/").at(-1)!);
    asked.push(subject);
    if (series !== null) return answer(response, 200, { observations: observationsOf(observations[series] ?? {}) });
    const days = closes[subject];
    return days === undefined ? answer(response, 404, NOT_FOUND) : answer(response, 200, chartOf(days));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const NOT_FOUND = { chart: { result: null, error: { code: "Not Found", description: "No data found" } } };

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function observationsOf(values: Readonly<Record<string, number>>) {
  return Object.entries(values).map(([date, value]) => ({ date, value: String(value) }));
}

function chartOf(days: Readonly<Record<string, number>>) {
  const [dates, close] = [Object.keys(days), Object.values(days)];
  const result = {
    meta: { currency: "USD", exchangeTimezoneName: "America/New_York" },
    timestamp: dates.map((date) => Date.parse(`${date}T14:30:00Z`) / 1000),
    indicators: { quote: [{ close, volume: close.map(() => 1_000) }], adjclose: [{ adjclose: close }] },
  };
  return { chart: { result: [result], error: null } };
}
