import type { Dataset } from "@firn/core";

import { checkMarketEnvelope, marketPayloadSchema } from "./envelope.ts";
import { MarketRun, type MarketRules } from "./market-run.ts";
import { MARKET_QUESTIONS } from "./questions/definitions.ts";
import { marketTables } from "./tables.ts";

/** The market lake: prices, portfolios, results and macro series, each table of rows that are upserted. */
export function createMarketDataset(): Dataset {
  const { usPrices, others, errors } = marketTables();
  const tables = [usPrices, ...others];
  const names = new Set(tables.map(({ definition }) => definition.name));
  const rules: MarketRules = {
    dataset: "market",
    tables,
    checkEnvelope: (parsed) => checkMarketEnvelope(names, parsed),
  };
  return {
    name: rules.dataset,
    namespace: usPrices.definition.namespace,
    payload: { records: "rows", countsRecords: true, schema: marketPayloadSchema(names) },
    raw: usPrices.definition,
    errors,
    rollups: [],
    others,
    ...(usPrices.derived === undefined ? {} : { derived: usPrices.derived }),
    identity: usPrices.definition.identity,
    content: usPrices.content,
    eventTime: "trade_date",
    eventOrder: ["trade_date", "meta_id"],
    time: { localDate: "trade_date" },
    // Planned by the query service, which has the stores that a backtest is saved to.
    questions: MARKET_QUESTIONS.map((definition) => ({ definition })),
    checkEnvelope: rules.checkEnvelope,
    beginRun: (_options, processedAtUs) => new MarketRun(rules, processedAtUs),
  };
}
