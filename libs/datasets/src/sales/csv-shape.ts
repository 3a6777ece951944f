import type { CsvShape } from "@firn/core";

/** A transaction a row. */
export const SALES_CSV: CsvShape = {
  columns: [
    { name: "transaction_id", kind: "text", required: true },
    { name: "transaction_date", kind: "text", required: true },
    { name: "product_id", kind: "long", required: true },
    { name: "quantity", kind: "number", required: true },
    { name: "unit_price", kind: "number", required: true },
    { name: "amount", kind: "number", required: true },
    { name: "store", kind: "text", required: false },
    { name: "currency", kind: "text", required: false },
  ],
  source: "source",
};
