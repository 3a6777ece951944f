import { parseDate } from "@firn/core";

import type { MacroSource, Observation } from "./price-source.ts";
import { SourceError, type SourceHttp } from "./source-http.ts";

/** Where FRED itself answers. */
export const FRED_BASE_URL = "https://api.stlouisfed.org";

/** Series of the FRED API (`/fred/series/observations`). */
export class Fred implements MacroSource {
  readonly name = "fred";
  readonly #baseUrl: string;
  readonly #apiKey: string;
  readonly #http: SourceHttp;

  constructor(http: SourceHttp, options: { readonly apiKey: string; readonly baseUrl?: string }) {
    this.#http = http;
    this.#apiKey = options.apiKey;
    this.#baseUrl = (options.baseUrl ?? FRED_BASE_URL).replace(/\/+$/, "");
  }

  async observations(
    series: string,
    { from, to }: { readonly from: string; readonly to: string },
    signal: AbortSignal,
  ): Promise<readonly Observation[]> {
    const url = new URL(`${this.#baseUrl}/fred/series/observations`);
    url.searchParams.set("series_id", series);
    url.searchParams.set("api_key", this.#apiKey);
    url.searchParams.set("file_type", "json");
    url.searchParams.set("observation_start", from);
    url.searchParams.set("observation_end", to);
    return parseObservations(await this.#http.json(url, signal), series);
  }
}

/** @throws SourceError `bad_answer` that says what is wrong with the answer */
function parseObservations(answer: unknown, series: string): Observation[] {
  const bad = (what: string) => new SourceError("bad_answer", `the observations of ${series} ${what}`);
  const list = (answer as { observations?: unknown } | null)?.observations;
  if (!Array.isArray(list)) throw bad("are no list");
  const byDate = new Map<string, Observation>();
  for (const entry of list as readonly ({ date?: unknown; value?: unknown } | null)[]) {
    const { date, value: text } = entry ?? {};
    if (typeof date !== "string" || parseDate(date) === undefined) throw bad(`have the date ${JSON.stringify(date)}`);
    const value = text === "." ? null : typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
    if (value !== null && !Number.isFinite(value)) throw bad(`have the value ${JSON.stringify(text)} on ${date}`);
    byDate.set(date, { date, value });
  }
  return [...byDate.values()].sort((one, other) => (one.date < other.date ? -1 : 1));
}
