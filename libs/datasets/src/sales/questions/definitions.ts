import { defineQuestion, documentSchema, type AnswerColumn } from "@firn/core";
import { errorsQuestion } from "../../questions/errors.ts";
import { cursor, dateRange, ordered, wholeRange } from "../../questions/shared-parameters.ts";

/** The questions of the sales lake. */

const { startDate, endDate } = dateRange("First transaction date, inclusive.", "Last transaction date, inclusive.", [
  "2025-01-14",
  "2025-01-16",
]);
const products = {
  name: "product_id",
  kind: "longs",
  itemsMax: 1000,
  doc: "One or several products, separated by commas; all without it.",
  example: "101,102",
} as const;

const SUMMARY_COLUMNS = [
  { name: "transaction_date", type: "date" },
  { name: "product_id", type: "long" },
  { name: "transaction_count", type: "long" },
  { name: "total_quantity", type: "long" },
  { name: "total_revenue", type: "double" },
  { name: "avg_transaction_value", type: "double" },
  { name: "max_transaction_value", type: "double" },
  { name: "min_transaction_value", type: "double" },
] as const satisfies readonly AnswerColumn[];

const salesDailySummary = defineQuestion({
  dataset: "sales",
  name: "daily-summary",
  summary: "Transactions of a day and product, summed up",
  doc: "One row a day and product that has transactions.",
  parameters: [startDate, endDate, products, wholeRange, cursor],
  rules: [ordered],
  columns: SUMMARY_COLUMNS,
  order: "transaction_date, product_id",
});

export const salesRevenue = defineQuestion({
  dataset: "sales",
  name: "revenue",
  summary: "Revenue of each product",
  doc: "One row a product that has transactions in the range. The answer is the same from either source; the summary is read faster.",
  parameters: [
    startDate,
    endDate,
    products,
    {
      name: "source",
      kind: "choice",
      choices: ["summary", "raw"],
      default: "summary",
      doc: "The daily summary, or every transaction.",
    },
    wholeRange,
    cursor,
  ],
  rules: [ordered],
  columns: [
    { name: "product_id", type: "long" },
    { name: "total_revenue", type: "double" },
  ],
  order: "product_id",
});

/** What reading one source for the question cost. */
export interface SalesReading {
  /** Rows of the table that were read. */
  readonly rows: number;
  readonly bytes: number;
  readonly elapsed_ms: number;
}

export interface SalesComparison {
  readonly raw: SalesReading;
  readonly summary: SalesReading;
  /** Whether both have the same products and, within 0.01, the same revenue. */
  readonly equal: boolean;
}

const reading = {
  type: "object",
  required: ["rows", "bytes", "elapsed_ms"],
  properties: {
    rows: { type: "integer", description: "Rows of the table that were read." },
    bytes: { type: "integer" },
    elapsed_ms: { type: "number" },
  },
} as const;

const salesCompare = defineQuestion({
  dataset: "sales",
  name: "compare",
  summary: "The revenue question, asked of raw and of the summary",
  doc: "What both cost, never from the result cache, and whether the answers are equal, which they are once the pipeline is settled.",
  parameters: [startDate, endDate, products],
  rules: [ordered],
  columns: [],
  document: documentSchema<SalesComparison>({
    type: "object",
    required: ["raw", "summary", "equal"],
    properties: { raw: reading, summary: reading, equal: { type: "boolean" } },
  }),
  order: "nothing: it is one object",
});

export const SALES_QUESTIONS = [salesDailySummary, salesRevenue, salesCompare, errorsQuestion("sales")] as const;
