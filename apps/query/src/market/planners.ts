import type { ComputedPlan, QuestionKeyOf, QuestionPlan, QuestionPlanner } from "@firn/core";
import { planErrors, type QUESTIONS } from "@firn/datasets";
import { planBacktest } from "./backtest-question.ts";
import { planCrossMarket } from "./cross-market-question.ts";
import type { MarketInput, MarketParts } from "./market-input.ts";
import { planSecurities, planSecurity } from "./meta-questions.ts";
import { planPerformance } from "./performance-question.ts";
import { planBenchmark, planMetrics, planNav, planPortfolios, planRebalances } from "./portfolio-questions.ts";
import { planAggregate, planDaily, planMonthly } from "./price-questions.ts";
import { planRegime } from "./regime-question.ts";

type MarketKey = QuestionKeyOf<
  Extract<(typeof QUESTIONS)[number], { readonly lake: "market" } | { readonly dataset: "market" }>
>;
type MarketPlanner = (input: MarketInput) => QuestionPlan | ComputedPlan | Promise<QuestionPlan | ComputedPlan>;

/** How each question of the market lake is planned. A question without a planner does not compile. */
const PLANNERS: Readonly<Record<MarketKey, MarketPlanner>> = {
  "meta.list": (input) => planSecurities(input, "list"),
  "meta.tickers": (input) => planSecurities(input, "tickers"),
  "meta.security": planSecurity,
  "price.daily": planDaily,
  "price.monthly": planMonthly,
  "price.aggregate": planAggregate,
  "price.cross-market": planCrossMarket,
  "portfolio.list": planPortfolios,
  "portfolio.performance": planPerformance,
  "portfolio.nav": planNav,
  "portfolio.rebalances": planRebalances,
  "portfolio.metrics": planMetrics,
  "portfolio.benchmark": planBenchmark,
  "backtest.run": planBacktest,
  "regime.list": planRegime,
  "market.errors": planErrors,
};

/**
 * The planners of the market lake. They stand here and not in its folder because a backtest is stored: that takes the
 * broker and transactions, which no planner of a dataset has.
 */
export function marketPlanners(parts: MarketParts): Readonly<Record<string, QuestionPlanner>> {
  return Object.fromEntries(
    Object.entries(PLANNERS).map(([key, plan]) => [key, (input) => plan({ ...input, ...parts })]),
  );
}
