import type { AsyncPlanInput } from "@firn/core";
import type { Queryable } from "@firn/relational";
import type { RecordBacktest } from "./record-backtest.ts";

/** What questions of the market lake are planned with, beside what every planner has. */
export interface MarketParts {
  /** PostgreSQL; throws 503 where there is none. */
  readonly relations: Queryable;
  readonly choices: MarketChoices;
  /** Stores what a backtest came to; answers the port_id of the portfolio that it became, null where it became none. */
  readonly recordBacktest: RecordBacktest;
}

/** What a site chooses for the market lake. */
export interface MarketChoices {
  /** Ticker of the benchmark where the question names none. */
  readonly benchmark: string;
  /** FRED's ids of the series that regimes are made of. */
  readonly growthSeries: string;
  readonly priceIndexSeries: string;
}

export type MarketInput = Omit<AsyncPlanInput, "relations"> & MarketParts;
