import type { QuestionReply } from "@firn/client";
import { formatDate, type AnswerDocument } from "@firn/core";
import type { BacktestCurve, PerformanceMetrics } from "@firn/finance";
import type { Security } from "@firn/relational";

type BacktestDocument = QuestionReply<"backtest.run">["data"];

/** What a backtest came to. */
export interface BacktestOutcome {
  readonly securities: readonly Security[];
  readonly curve: BacktestCurve;
  readonly metrics: PerformanceMetrics;
  readonly benchmark: { readonly ticker: string; readonly nav: readonly (number | null)[] } | undefined;
}

export function backtestDocument(outcome: BacktestOutcome, portId: number | null): AnswerDocument {
  const { curve, securities } = outcome;
  return {
    values: curve.rebalances.length * securities.length * 2,
    value: () => documentOf(outcome, portId),
  };
}

function documentOf(
  { securities, curve, metrics, benchmark }: BacktestOutcome,
  portId: number | null,
): BacktestDocument {
  const dates = curve.dates.map(formatDate);
  const points = <V>(values: readonly V[]) => dates.map((date, index) => ({ trade_date: date, value: values[index]! }));
  return {
    nav: points(curve.nav),
    weights: curve.rebalances.flatMap(({ date, weights }) =>
      weights.map((weight, index) => ({
        rebal_date: formatDate(date),
        meta_id: securities[index]!.meta_id,
        weight,
      })),
    ),
    metrics,
    benchmark: benchmark === undefined ? null : { ticker: benchmark.ticker, nav: points(benchmark.nav) },
    ended_early: endedEarly(curve, securities),
    started_late: startedLate(curve, securities),
    port_id: portId,
  };
}

function endedEarly({ endedEarly: ended }: BacktestCurve, securities: readonly Security[]) {
  if (ended === undefined) return null;
  const date = formatDate(ended.date);
  const names = tickersOf(ended.stopped, securities);
  const reason = names === "" ? `no date after ${date} is common to all` : `${names}: no price after ${date}`;
  return { trade_date: date, reason };
}

function startedLate({ startedLate: late }: BacktestCurve, securities: readonly Security[]) {
  if (late === undefined) return null;
  const date = formatDate(late.date);
  const names = tickersOf(late.missing, securities);
  const reason = names === "" ? `no date before ${date} is common to all` : `${names}: no price before ${date}`;
  return { trade_date: date, reason };
}

const tickersOf = (indexes: readonly number[], securities: readonly Security[]): string =>
  indexes.map((index) => securities[index]!.ticker).join(", ");
