import type { RollupDefinition } from "@firn/core";

import type { SalesTables } from "./tables.ts";

/** Day and product of the transactions. */
export function salesRollups({ dailySummary }: SalesTables): readonly RollupDefinition[] {
  return [
    {
      name: "daily-summary",
      period: "day",
      table: dailySummary,
      dimensions: ["product_id"],
      periodColumns: { start: "transaction_date" },
      measures: [
        { column: "transaction_count", fold: "record_count", of: "transaction_id" },
        { column: "total_quantity", fold: "sum", of: "quantity" },
        { column: "total_revenue", fold: "sum", of: "amount" },
        { column: "avg_transaction_value", fold: "avg", of: "amount" },
        { column: "max_transaction_value", fold: "max", of: "amount" },
        { column: "min_transaction_value", fold: "min", of: "amount" },
      ],
    },
  ];
}
