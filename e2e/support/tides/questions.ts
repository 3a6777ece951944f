import {
  columnValues,
  defineQuestion,
  firstOfMonth,
  formatDate,
  QuestionRefusal,
  selectList,
  tableOfRows,
  type ComputedPlan,
  type PlanInput,
  type QuestionPlan,
  type RowCondition,
  type TableDefinition,
} from "@firn/core";
import {
  columnsOf,
  cursor,
  dateRange,
  inDates,
  oneOf,
  ordered,
  plannedQuestions,
  rollupOf,
  selectedRows,
  wholeRange,
} from "@firn/datasets";

/** Questions of the tides lake's own. */

const tideRange = defineQuestion({
  dataset: "tides",
  name: "range",
  summary: "How far the water of a gauge rises and falls",
  doc: "One row a gauge that has readings since the day, from its highest to its lowest reading.",
  parameters: [
    { name: "gauge", kind: "texts", itemsMax: 100, doc: "One or several gauges, separated by commas." },
    { name: "since", kind: "date", required: true, doc: "First day, inclusive.", example: "2026-01-31" },
    { name: "at_least", kind: "integer", min: 0, default: 0, doc: "Only gauges with so many centimetres." },
    wholeRange,
    cursor,
  ],
  rules: [],
  columns: [
    { name: "gauge", type: "string" },
    { name: "range_cm", type: "long", doc: "From the lowest to the highest reading." },
  ],
  order: "range_cm, greatest first; then gauge",
});

/** The rows of one SELECT over one table. */
function planRange(input: PlanInput): QuestionPlan {
  const { gauge, since, at_least: least } = input.parameters;
  return selectedRows(input, {
    table: rollupOf(input, "daily").table,
    where: [{ op: "gte", column: "day", value: since as string }, ...oneOf("gauge", gauge as readonly string[])],
    reads: ["gauge", "day", "highest_cm", "lowest_cm"],
    columns: tideRange.columns,
    order: [
      { name: "range_cm", direction: "desc" },
      { name: "gauge", direction: "asc" },
    ],
    sql: (rows) => `SELECT gauge, max(highest_cm) - min(lowest_cm) AS range_cm FROM ${rows} GROUP BY gauge
      HAVING range_cm >= ${Number(least)}`,
  });
}

const inRange = dateRange("First day, inclusive.", "Last day, inclusive.", ["2026-01-01", "2026-01-31"]);

const tideCrests = defineQuestion({
  dataset: "tides",
  name: "crests",
  summary: "Days on which the water stood about as high as in its month",
  doc: "One row a gauge and day whose highest reading is at most `within` below the highest of its month.",
  parameters: [
    { name: "gauge", kind: "text", required: true, doc: "Which gauge.", example: "cuxhaven" },
    { name: "within", kind: "integer", min: 0, default: 10, doc: "In centimetres." },
    inRange.startDate,
    inRange.endDate,
    wholeRange,
    cursor,
  ],
  rules: [ordered],
  columns: [
    { name: "day", type: "date" },
    { name: "highest_cm", type: "long" },
    { name: "below_cm", type: "long", doc: "Below the highest reading of the month." },
  ],
  order: "day",
  refusals: { 404: "The gauge has no readings." },
});

const DAYS_MAX = 1_000_000;

/** Rows of two tables, and what TypeScript computes of them. */
function planCrests(input: PlanInput): ComputedPlan {
  const { gauge, within, limit } = input.parameters as { gauge: string; within: number; limit: number };
  const [daily, monthly] = [rollupOf(input, "daily"), rollupOf(input, "monthly")];
  const ofGauge = oneOf("gauge", [gauge]);
  const rowsOf = (table: TableDefinition, names: readonly string[], where: readonly RowCondition[]): QuestionPlan => {
    const columns = columnsOf(table).filter(({ name }) => names.includes(name));
    const sql = (rows: string) => `SELECT ${selectList(columns)} FROM (${rows}) ORDER BY ALL`;
    return { table, where, reads: ["gauge", ...names], columns, limit: DAYS_MAX, sql };
  };
  return {
    plans: [
      rowsOf(daily.table, ["day", "highest_cm"], [...ofGauge, ...inDates("day", input.parameters)]),
      rowsOf(monthly.table, ["month_start", "highest_cm"], ofGauge),
    ],
    context: null,
    limit,
    compute: ([days, months]) => {
      if (months!.rowCount === 0) throw unknownGauge(gauge);
      const starts = columnValues(months!, "month_start") as readonly string[];
      const tops = new Map(starts.map((start, at) => [start, columnValues(months!, "highest_cm")[at] as number]));
      const heights = columnValues(days!, "highest_cm") as readonly number[];
      const rows = (columnValues(days!, "day") as readonly number[]).map((day, at) => {
        const top = tops.get(formatDate(firstOfMonth(day)))!;
        return { day, highest_cm: heights[at]!, below_cm: top - heights[at]! };
      });
      return {
        table: tableOfRows(
          tideCrests.columns,
          rows.filter((row) => row.below_cm <= within),
        ),
      };
    },
  };
}

function unknownGauge(gauge: string): QuestionRefusal {
  const message = `there is no gauge ${gauge}`;
  return new QuestionRefusal(404, "unknown_gauge", message, [{ field: "gauge", rule: "known", message }]);
}

export const TIDE_QUESTIONS = [tideRange, tideCrests] as const;

export const tideQuestions = plannedQuestions(TIDE_QUESTIONS, {
  "tides.range": planRange,
  "tides.crests": planCrests,
});
