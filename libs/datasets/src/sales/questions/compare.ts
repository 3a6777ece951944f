import {
  columnValues,
  sqlName,
  type AnswerColumn,
  type AnswerTable,
  type AsyncPlanInput,
  type ComputedPlan,
  type MeasuredRows,
  type QuestionPlan,
} from "@firn/core";
import type { SalesComparison, SalesReading } from "./definitions.ts";
import { revenueRows, sourceOf, type RevenueSource } from "./revenue.ts";

const PRODUCTS_MAX = 1_000_000;
/** Sums of the same amounts in another order differ by rounding only. */
const TOLERANCE = 0.01;
const TOLERANCE_RELATIVE = 1e-9;

const COLUMNS: readonly AnswerColumn[] = [
  { name: "product_id", type: "long" },
  { name: "total_revenue", type: "double" },
  { name: "rows", type: "long" },
];
const COMPARED: readonly AnswerColumn[] = (["raw", "summary"] as const).flatMap((source): AnswerColumn[] => [
  { name: `${source}_rows`, type: "long" },
  { name: `${source}_bytes`, type: "long" },
  { name: `${source}_elapsed_ms`, type: "double" },
]);

/** `compare`: the revenue question on raw and on the summary, what each cost, and whether they agree. */
export async function planSalesComparison(input: AsyncPlanInput): Promise<ComputedPlan> {
  const raw = await input.measure(planTotals(input, "raw"));
  const summary = await input.measure(planTotals(input, "summary"));
  const comparison: SalesComparison = {
    raw: readingOf(raw),
    summary: readingOf(summary),
    equal: isEqual(totalsOf(raw.table), totalsOf(summary.table)),
  };
  const values = [comparison.raw, comparison.summary].flatMap(({ rows, bytes, elapsed_ms: ms }) => [
    [rows],
    [bytes],
    [ms],
  ]);
  const table: AnswerTable = {
    columns: [...COMPARED, { name: "equal", type: "boolean" }],
    rowCount: 1,
    values: [...values, [comparison.equal]],
  };
  const document = { value: () => comparison, values: values.length };
  return { plans: [], context: null, compute: () => ({ table, document }) };
}

function planTotals(input: AsyncPlanInput, source: RevenueSource): QuestionPlan {
  const { amount } = sourceOf(input, source);
  return {
    ...revenueRows(input, source),
    columns: COLUMNS,
    limit: PRODUCTS_MAX,
    sql: (relation, page) =>
      `SELECT "product_id", fsum(${sqlName(amount)}) AS "total_revenue", count(*) AS "rows" FROM (${relation})
       GROUP BY "product_id" ORDER BY "product_id" LIMIT ${page.limit}`,
  };
}

function readingOf({ table, bytesRead, elapsedMs }: MeasuredRows): SalesReading {
  const rows = columnValues(table, "rows") as readonly number[];
  return {
    rows: rows.reduce((sum, one) => sum + one, 0),
    bytes: bytesRead,
    elapsed_ms: Math.round(elapsedMs * 100) / 100,
  };
}

function totalsOf(table: AnswerTable): ReadonlyMap<string, number> {
  const totals = columnValues(table, "total_revenue") as readonly number[];
  return new Map(columnValues(table, "product_id").map((id, at) => [String(id), totals[at]!]));
}

function isEqual(raw: ReadonlyMap<string, number>, summary: ReadonlyMap<string, number>): boolean {
  if (raw.size !== summary.size) return false;
  return [...raw].every(([product, total]) => {
    const other = summary.get(product);
    return other !== undefined && Math.abs(total - other) <= Math.max(TOLERANCE, TOLERANCE_RELATIVE * Math.abs(total));
  });
}
