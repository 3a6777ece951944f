import { columnValues, type AnswerTable, type QuestionPlan } from "@firn/core";
import { exchangePrices, invertRates, type PriceSeries } from "@firn/finance";
import type { IsoCode, Security } from "@firn/relational";
import { Problem } from "@firn/service";
import { marketTable, rowsPlan } from "./market-tables.ts";
import type { MarketInput } from "./market-input.ts";

export type Currency = "USD" | "KRW";

const CURRENCY_OF: Readonly<Record<IsoCode, Currency>> = { US: "USD", KR: "KRW" };

/** In which currency a curve is, and what has to be read for it. */
export interface CurrencyPlan {
  /** Undefined: everything stays in its own. */
  readonly wanted: Currency | undefined;
  /** Of the exchange rates, where any series has to be converted. */
  readonly plans: readonly QuestionPlan[];
}

/** 400 `mixed_currency` for securities of several currencies when the question does not say which one is wanted. */
export function planCurrency(
  { parameters, dataset }: MarketInput,
  securities: readonly Security[],
  benchmark: Security | undefined,
): CurrencyPlan {
  const wanted = parameters["currency"] as Currency | undefined;
  const own = new Set(securities.map(currencyOf));
  if (wanted === undefined) {
    if (own.size > 1) throw mixedCurrency([...own]);
    return { wanted, plans: [] };
  }
  const all = benchmark === undefined ? securities : [...securities, benchmark];
  if (all.every((security) => currencyOf(security) === wanted)) return { wanted, plans: [] };
  const rates = marketTable(dataset, "tb_exchange_rates");
  const where = [
    { op: "eq", column: "base", value: "USD" },
    { op: "eq", column: "quote", value: "KRW" },
  ] as const;
  return { wanted, plans: [rowsPlan(rates, ["base", "quote", "rate_date", "rate"], where, ["rate_date"])] };
}

/** A security's series in the wanted currency. */
export function inCurrency(
  security: Security,
  series: PriceSeries = { dates: [], prices: [] },
  { wanted }: CurrencyPlan,
  rates: AnswerTable | undefined,
): PriceSeries {
  if (wanted === undefined || currencyOf(security) === wanted || rates === undefined) return series;
  const wonPerDollar = {
    dates: columnValues(rates, "rate_date") as readonly number[],
    prices: columnValues(rates, "rate") as readonly number[],
  };
  if (wonPerDollar.dates.length === 0) {
    throw new Problem(422, "no_exchange_rates", "no rates of USD in KRW are stored: run firn ingest macro");
  }
  return exchangePrices(series, wanted === "USD" ? wonPerDollar : invertRates(wonPerDollar));
}

function currencyOf({ iso_code: iso }: Security): Currency {
  return CURRENCY_OF[iso];
}

function mixedCurrency(currencies: readonly Currency[]): Problem {
  const message = `the securities are in ${currencies.join(" and ")}; say currency=USD or currency=KRW`;
  return new Problem(400, "mixed_currency", message, {
    errors: [{ field: "currency", rule: "mixed_currency", message }],
  });
}
