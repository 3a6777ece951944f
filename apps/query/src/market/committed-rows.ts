import { columnValues, type Dataset, type QuestionPlan, type RowCondition } from "@firn/core";
import { snapshotKey, type PlanSession } from "../questions/plan-session.ts";
import { marketTable } from "./market-tables.ts";
import { ofPortfolio } from "./portfolio-questions.ts";
import { ofSecurities } from "./price-questions.ts";
import type { RecordedBacktest } from "./record-backtest.ts";

interface Expected {
  readonly plan: QuestionPlan;
  readonly rows: number;
}

/**
 * Answers whether rows of a backtest are still missing in the tables. A table is counted again only when it has
 * another snapshot.
 */
export function committedCounter(
  dataset: Dataset,
  backtest: RecordedBacktest,
  portId: number,
  runId: string,
): (session: PlanSession) => Promise<boolean> {
  let open = expectedRows(dataset, backtest, portId, runId);
  const counted = new Set<string>();
  return async (session) => {
    const missing: Expected[] = [];
    for (const expected of open) {
      if (await isMissing(session, expected, counted)) missing.push(expected);
    }
    open = missing;
    return open.length > 0;
  };
}

async function isMissing(session: PlanSession, { plan, rows }: Expected, counted: Set<string>): Promise<boolean> {
  const opened = await session.open(plan);
  const key = snapshotKey(opened);
  if (counted.has(key)) return true;
  counted.add(key);
  const { table } = await session.read(opened, plan.sql("asked", { after: "TRUE", limit: 1 }));
  return Number(columnValues(table, "n")[0] ?? 0) < rows;
}

function expectedRows(
  dataset: Dataset,
  { asked, outcome }: RecordedBacktest,
  portId: number,
  runId: string,
): Expected[] {
  const { dates, rebalances } = outcome.curve;
  const days = rebalances.map(({ date }) => date);
  const weights = rebalances.length * asked.metaIds.length;
  const between = (column: string, all: readonly number[]): RowCondition[] => [
    { op: "gte", column, value: all[0]! },
    { op: "lte", column, value: all.at(-1)! },
  ];
  return [
    counting(dataset, "tb_nav", [ofPortfolio(portId), ...between("trade_date", dates)], dates.length),
    counting(dataset, "tb_rebalance", [ofPortfolio(portId), ...between("rebal_date", days)], weights),
    counting(dataset, "tb_backtests", [{ op: "eq", column: "run_id", value: runId }], 1),
    counting(
      dataset,
      "tb_signals",
      [
        { op: "eq", column: "algorithm", value: asked.algorithm },
        { op: "in", column: "signal_date", values: days },
        ofSecurities(outcome.securities),
      ],
      weights,
    ),
  ];
}

function counting(dataset: Dataset, name: string, where: readonly RowCondition[], rows: number): Expected {
  const table = marketTable(dataset, name);
  const plan: QuestionPlan = {
    table,
    where,
    reads: table.identity,
    columns: [{ name: "n", type: "long" }],
    limit: 1,
    sql: (relation) => `SELECT count(*) AS "n" FROM (${relation})`,
  };
  return { plan, rows };
}
