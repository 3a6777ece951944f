import { findQuestion } from "@firn/client";
import {
  columnValues,
  daysFromCivil,
  firstOfMonth,
  parseDate,
  tableOfRows,
  type AnswerTable,
  type ComputedPlan,
  type Parameters,
} from "@firn/core";
import { regimeMonths, type MacroSeries, type RegimeMonth } from "@firn/finance";
import { listMacroSeries } from "@firn/relational";
import { marketTable, rowsPlan } from "./market-tables.ts";
import type { MarketInput } from "./market-input.ts";

/** `regime`: growth by inflation, month by month, from the macro series of the settings. */
export async function planRegime(input: MarketInput): Promise<ComputedPlan> {
  const { parameters, relations, dataset, choices } = input;
  const { columns } = findQuestion("regime", "list")!;
  const known = await listMacroSeries(relations);
  const idOf = (fred: string): number => known.find((series) => series.fred === fred)?.macro_id ?? 0;
  const [growth, prices] = [idOf(choices.growthSeries), idOf(choices.priceIndexSeries)];
  const plan = rowsPlan(
    marketTable(dataset, "tb_macro_data"),
    ["macro_id", "base_date", "value"],
    [{ op: "in", column: "macro_id", values: [growth, prices] }],
    ["macro_id", "base_date"],
  );
  return {
    plans: [plan],
    context: [growth, prices],
    limit: parameters["limit"] as number,
    compute: ([table]) => {
      const months = regimeMonths(seriesOf(table!, growth), seriesOf(table!, prices)).map(monthRow);
      return { table: tableOfRows(columns, months.filter(inRange(parameters))) };
    },
  };
}

function seriesOf(table: AnswerTable, macroId: number): MacroSeries {
  const ids = columnValues(table, "macro_id") as readonly number[];
  const dates = columnValues(table, "base_date") as readonly number[];
  const values = columnValues(table, "value") as readonly (number | null)[];
  const own = ids.flatMap((id, index) => (id === macroId ? [index] : []));
  return { dates: own.map((index) => dates[index]!), values: own.map((index) => values[index]!) };
}

function monthRow({ month, growthChange, inflationChange, regime }: RegimeMonth) {
  return {
    month: daysFromCivil(Math.floor(month / 12), (month % 12) + 1, 1),
    growth_change: growthChange,
    inflation_change: inflationChange,
    regime,
  };
}

/** Months of which a day lies in the range. */
function inRange(parameters: Parameters): (row: { readonly month: number }) => boolean {
  const bound = (name: string, otherwise: number) => {
    const date = parameters[name] as string | undefined;
    return date === undefined ? otherwise : firstOfMonth(parseDate(date)!);
  };
  const [from, to] = [bound("start_date", -Infinity), bound("end_date", Infinity)];
  return ({ month }) => month >= from && month <= to;
}
