import { findQuestion } from "@firn/client";
import { tableOfRows, type AnswerTable, type ComputedAnswer, type ComputedPlan } from "@firn/core";
import { benchmarkNav, performanceMetrics, runBacktest, type BacktestCurve, type PriceSeries } from "@firn/finance";
import { portfolioByName, type Security } from "@firn/relational";
import { backtestDocument, type BacktestOutcome } from "./backtest-document.ts";
import { backtestProblem } from "./backtest-problem.ts";
import { readBacktest, type AskedBacktest } from "./asked-backtest.ts";
import { inCurrency, planCurrency, type CurrencyPlan } from "./currency.ts";
import { knownSecurities, knownTickers } from "./known-securities.ts";
import { nameTaken } from "./name-taken.ts";
import { mergeSeries, pricesOf } from "./performance-question.ts";
import { askedMarket } from "./price-questions.ts";
import type { MarketInput } from "./market-input.ts";

/** What answers came to, also of those that the cache keeps: they can still be saved. */
const OUTCOMES = new WeakMap<AnswerTable, BacktestOutcome>();

/** `POST /api/backtest`: runs a strategy over stored prices, and stores the result where that is asked for. */
export async function planBacktest(input: MarketInput): Promise<ComputedPlan> {
  const asked = readBacktest(input.parameters);
  const securities = await knownSecurities(input.relations, asked.metaIds, "meta_ids");
  const benchmark = await benchmarkOf(input, asked);
  const currency = planCurrency(input, securities, benchmark);
  if (asked.saveAs !== undefined) await refuseTakenName(input, asked.saveAs);
  const all = [
    ...new Map([...securities, ...(benchmark ? [benchmark] : [])].map((one) => [one.meta_id, one])).values(),
  ];
  const prices = pricesOf(input, all);
  let isComputed = false;
  return {
    plans: [...prices, ...currency.plans],
    context: all.map(({ meta_id: id, ticker, iso_code: iso }) => [id, ticker, iso]),
    compute: (tables) => {
      const stored = mergeSeries(tables.slice(0, prices.length));
      const rates = tables[prices.length];
      const seriesOf = (security: Security) => inCurrency(security, stored.get(security.meta_id), currency, rates);
      const outcome = run(asked, securities, benchmark, seriesOf, currency);
      const answer = answerOf(outcome, null);
      OUTCOMES.set(answer.table, outcome);
      isComputed = true;
      return answer;
    },
    finish: async (answer) => {
      const outcome = OUTCOMES.get(answer.table);
      // An answer that was kept is a run that was recorded.
      if (outcome === undefined || (!isComputed && asked.saveAs === undefined)) return answer;
      const portId = await input.recordBacktest({ asked, outcome });
      return portId === null ? answer : answerOf(outcome, portId);
    },
  };
}

async function benchmarkOf(input: MarketInput, { benchmark }: AskedBacktest): Promise<Security | undefined> {
  if (benchmark === undefined) return undefined;
  const [security] = await knownTickers(input.relations, [benchmark], askedMarket(input), "benchmark");
  return security;
}

function run(
  asked: AskedBacktest,
  securities: readonly Security[],
  benchmark: Security | undefined,
  seriesOf: (security: Security) => PriceSeries,
  currency: CurrencyPlan,
): BacktestOutcome {
  const assets = securities.map(seriesOf);
  const curve = runBacktest({ ...asked, assets });
  if (curve.kind !== "curve") throw backtestProblem(curve, asked, securities, assets, currency);
  return { securities, curve, metrics: performanceMetrics(curve.nav), benchmark: beside(curve, benchmark, seriesOf) };
}

function beside(
  { dates }: BacktestCurve,
  benchmark: Security | undefined,
  seriesOf: (security: Security) => PriceSeries,
): BacktestOutcome["benchmark"] {
  return benchmark && { ticker: benchmark.ticker, nav: benchmarkNav(seriesOf(benchmark), dates) };
}

function answerOf(outcome: BacktestOutcome, portId: number | null): ComputedAnswer {
  const { curve, benchmark } = outcome;
  const rows = curve.dates.map((date, index) => ({
    trade_date: date,
    value: curve.nav[index],
    benchmark_value: benchmark?.nav[index] ?? null,
  }));
  return {
    table: tableOfRows(findQuestion("backtest", "run")!.columns, rows),
    document: backtestDocument(outcome, portId),
  };
}

async function refuseTakenName({ relations }: MarketInput, name: string): Promise<void> {
  const taken = await portfolioByName(relations, name);
  if (taken !== undefined) throw nameTaken(name);
}
