import {
  backtestRun,
  portfolioBenchmark,
  portfolioList,
  portfolioMetrics,
  portfolioNav,
  portfolioPerformance,
  portfolioRebalances,
} from "./portfolios.ts";
import {
  marketErrors,
  metaList,
  metaSecurity,
  metaTickers,
  priceAggregate,
  priceCrossMarket,
  priceDaily,
  priceMonthly,
  regimeList,
} from "./prices.ts";

/** The questions of the market lake. */
export const MARKET_QUESTIONS = [
  metaList,
  metaTickers,
  metaSecurity,
  priceDaily,
  priceMonthly,
  priceAggregate,
  priceCrossMarket,
  portfolioList,
  portfolioPerformance,
  portfolioNav,
  portfolioRebalances,
  portfolioMetrics,
  portfolioBenchmark,
  backtestRun,
  regimeList,
  marketErrors,
] as const;
