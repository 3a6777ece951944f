import { formatDate } from "@firn/core";
import type { BacktestProblem, PriceSeries } from "@firn/finance";
import type { Security } from "@firn/relational";
import { Problem } from "@firn/service";
import type { AskedBacktest } from "./asked-backtest.ts";
import type { CurrencyPlan } from "./currency.ts";

/** Why there is no curve, as the asker should see it. */
export function backtestProblem(
  problem: BacktestProblem,
  asked: AskedBacktest,
  securities: readonly Security[],
  assets: readonly PriceSeries[],
  { wanted }: CurrencyPlan,
): Problem {
  switch (problem.kind) {
    case "no_assets":
      return refusal("meta_ids", "not_empty", "there are no securities");
    case "no_common_dates": {
      const { startDate, endDate = Infinity } = asked;
      const silent = securities.filter(
        (_, index) => !Array.from(assets[index]!.dates).some((date) => date >= startDate && date <= endDate),
      );
      const window = `from ${formatDate(startDate)} to ${endDate === Infinity ? "now" : formatDate(endDate)}`;
      const names = silent.map((security) => security.ticker).join(", ");
      const why = silent.length > 0 ? `${names}: no price` : "the securities have no date in common";
      const rates = wanted === undefined ? "" : `, with an exchange rate to ${wanted} where one is needed`;
      return refusal("meta_ids", "common_dates", `${why} ${window}${rates}`, "no_common_dates");
    }
    case "unusable_price": {
      const { ticker } = securities[problem.series]!;
      const detail = `${ticker} has the price ${problem.price} on ${formatDate(problem.date)}: prices must be positive`;
      return new Problem(422, "unusable_price", detail);
    }
  }
}

function refusal(field: string, rule: string, message: string, code = "invalid_parameter"): Problem {
  return new Problem(400, code, message, { errors: [{ field, rule, message }] });
}
