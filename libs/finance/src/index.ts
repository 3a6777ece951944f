export {
  START_NAV,
  runBacktest,
  type BacktestCurve,
  type BacktestProblem,
  type BacktestRebalance,
  type BacktestRequest,
} from "./backtest.ts";
export { benchmarkNav } from "./benchmark-nav.ts";
export { correlation, crossMarket, type CrossMarketRow, type MarketSeries } from "./cross-market.ts";
export type { EndedEarly, StartedLate } from "./curve-bounds.ts";
export {
  driftedPortfolio,
  type DriftProblem,
  type PortfolioDay,
  type StoredPortfolio,
  type StoredRebalance,
} from "./drifted-portfolio.ts";
export { exchangePrices, invertRates } from "./exchange.ts";
export { performanceMetrics, returnsOf, type PerformanceMetrics } from "./metrics.ts";
export { alignPrices, carriedPrices, findUnusablePrice, type AlignedPrices, type PriceSeries } from "./price-series.ts";
export { regimeMonths, regimeOf, type MacroSeries, type Regime, type RegimeMonth } from "./regime.ts";
export { excessKurtosis, mean, quantile, sampleDeviation, skewness } from "./sample-moments.ts";
export { targetsOf, type Algorithm, type Target } from "./target-weights.ts";
export { monthEnds, monthOf, rebalanceIndexes, type RebalanceFrequency } from "./trading-period.ts";
