import type { TableDefinition } from "@firn/core";

import { errorsTable } from "../errors-table.ts";
import { optional, partitionField, required } from "../table-columns.ts";
import { tableProperties } from "../table-properties.ts";

/** Names that a site may choose; what is absent is the default. */
export interface SalesTableOptions {
  readonly namespace?: string;
  readonly rawTable?: string;
  readonly summaryTable?: string;
}

const PROPERTIES = tableProperties({ codec: "snappy", targetFileMb: 256 });

export interface SalesTables {
  readonly raw: TableDefinition;
  readonly errors: TableDefinition;
  readonly dailySummary: TableDefinition;
}

const ERRORS_TABLE = "sales_errors";

/** @throws RangeError when two tables would have one name */
export function salesTables(options: SalesTableOptions = {}): SalesTables {
  const { namespace = "sales", rawTable = "sales_transactions_raw", summaryTable = "sales_daily_summary" } = options;
  if (new Set([rawTable, summaryTable, ERRORS_TABLE]).size < 3)
    throw new RangeError(`two tables of the sales lake would have one name in ${namespace}`);
  return {
    raw: transactionsTable(namespace, rawTable),
    errors: errorsTable(namespace, ERRORS_TABLE, PROPERTIES),
    dailySummary: dailySummaryTable(namespace, summaryTable),
  };
}

function transactionsTable(namespace: string, name: string): TableDefinition {
  return {
    namespace,
    name,
    columns: [
      required("transaction_id", "string", "the transaction's own id"),
      required("transaction_date", "date", "calendar date of the sale"),
      required("product_id", "long", "product that was sold"),
      required("quantity", "long", "pieces; below zero for a refund"),
      required("unit_price", "double", "price of one piece"),
      required("amount", "double", "what was paid; below zero for a refund"),
      optional("store", "string", "shop or channel of the sale"),
      optional("currency", "string", "ISO 4217 code; the amounts of one table are in one currency"),
      optional("source", "string", "what sent the transaction first"),
    ],
    identity: ["transaction_id"],
    partition: [partitionField("transaction_date", "day", "transaction_day")],
    sort: ["product_id", "transaction_id"],
    properties: PROPERTIES,
  };
}

function dailySummaryTable(namespace: string, name: string): TableDefinition {
  return {
    namespace,
    name,
    columns: [
      required("transaction_date", "date", "day of the transactions"),
      required("product_id", "long", "product of the transactions"),
      required("transaction_count", "long", "number of transactions"),
      required("total_quantity", "long", "sum of quantity, refunds subtracted"),
      required("total_revenue", "double", "sum of amount, refunds subtracted"),
      required("avg_transaction_value", "double", "total_revenue / transaction_count"),
      required("max_transaction_value", "double", "greatest amount"),
      required("min_transaction_value", "double", "least amount"),
    ],
    identity: ["transaction_date", "product_id"],
    partition: [partitionField("transaction_date", "month", "transaction_month")],
    sort: ["transaction_date", "product_id"],
    properties: PROPERTIES,
  };
}
