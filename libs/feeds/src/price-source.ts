import type { Market } from "./calendar/trading-days.ts";

/** A day of one security, days since 1970-01-01. */
export interface DailyPrice {
  readonly day: number;
  readonly close: number | null;
  readonly adjClose: number | null;
  readonly volume: number | null;
}

export interface PriceRequest {
  readonly ticker: string;
  readonly market: Market;
  /** Both included, days since 1970-01-01. */
  readonly from: number;
  readonly to: number;
}

/**
 * Where prices come from. Promise: the days of the range that the source has, each once, in order; a day without a
 * price is left out. Its adjusted prices are right among themselves, on whatever base the source has today.
 * @throws SourceError
 */
export interface PriceSource {
  readonly name: string;
  daily(request: PriceRequest, signal: AbortSignal, attemptsMax?: number): Promise<readonly DailyPrice[]>;
}

/** One value of a series; null where the source says that there is none. */
export interface Observation {
  readonly date: string;
  readonly value: number | null;
}

/** Where macro series come from: their observations from one day to another, each once, in order. @throws SourceError */
export interface MacroSource {
  readonly name: string;
  observations(
    series: string,
    range: { readonly from: string; readonly to: string },
    signal: AbortSignal,
  ): Promise<readonly Observation[]>;
}
