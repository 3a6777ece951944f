import type { QuestionKey } from "@firn/client";
import type { Dataset } from "@firn/core";
import { planCompare } from "../health/compare.ts";
import { planTypes } from "../health/held-types.ts";
import { planTop } from "../health/top.ts";
import { planBacktest } from "../market/backtest-question.ts";
import { planCrossMarket } from "../market/cross-market-question.ts";
import { planSecurities, planSecurity } from "../market/meta-questions.ts";
import { planPerformance } from "../market/performance-question.ts";
import { planBenchmark, planMetrics, planNav, planPortfolios, planRebalances } from "../market/portfolio-questions.ts";
import { planAggregate, planDaily, planMonthly } from "../market/price-questions.ts";
import { planRegime } from "../market/regime-question.ts";
import { planSalesComparison } from "../sales/compare.ts";
import { planRevenue } from "../sales/revenue.ts";
import { planOwn } from "./own-question.ts";
import { planPeriods } from "./periods.ts";
import type { QuestionPlanner } from "./question-plan.ts";
import { planErrors, planLatest, planRaw } from "./records.ts";

/**
 * How each question of the contract is planned. A question without a planner does not compile. What one SELECT over one
 * of its tables answers a dataset declares itself, and has no line here.
 */
export const PLANNERS: Readonly<Record<QuestionKey, QuestionPlanner>> = {
  "health.daily": (input) => planPeriods(input, "daily"),
  "health.weekly": (input) => planPeriods(input, "weekly"),
  "health.monthly": (input) => planPeriods(input, "monthly"),
  "health.compare": planCompare,
  "health.top": planTop,
  "health.raw": planRaw,
  "health.errors": planErrors,
  "health.types": planTypes,
  "health.latest": planLatest,
  "sales.daily-summary": (input) => planPeriods(input, "daily-summary"),
  "sales.revenue": planRevenue,
  "sales.compare": planSalesComparison,
  "sales.errors": planErrors,
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

/** How the questions are planned that a lake answers by what it declares (`deriveQuestions`). */
export function derivedPlanner({ questions = [] }: Dataset, name: string): QuestionPlanner {
  const own = questions.find((question) => question.name === name);
  if (own !== undefined) return (input) => planOwn(input, own);
  if (name === "raw") return planRaw;
  if (name === "errors") return planErrors;
  return (input) => planPeriods(input, name);
}
