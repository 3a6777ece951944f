import type { AnswerColumn } from "@firn/client";
import { recordTablesOf, type Dataset, type QuestionPlan, type RowCondition, type TableDefinition } from "@firn/core";

export type MarketCode = "us" | "kr";

/** The most rows that one computed answer reads of one table. */
const READ_ROWS_MAX = 5_000_000;

/** A table of the market lake by its name. */
export function marketTable(dataset: Dataset, name: string): TableDefinition {
  const found = recordTablesOf(dataset).find(({ definition }) => definition.name === name);
  if (found === undefined) throw new Error(`dataset ${dataset.name} has no table ${name}`);
  return found.definition;
}

export function priceTable(dataset: Dataset, market: MarketCode): TableDefinition {
  return marketTable(dataset, `${market}_stocks_price`);
}

/** Rows for a computation: columns of a table as they are, those of the conditions among them, in an order. */
export function rowsPlan(
  table: TableDefinition,
  names: readonly string[],
  where: readonly RowCondition[],
  order: readonly string[],
): QuestionPlan {
  const columns = names.map((name): AnswerColumn => {
    const { type, required } = table.columns.find((column) => column.name === name)!;
    return { name, type: type === "float" ? "double" : type, ...(required ? {} : { optional: true }) };
  });
  const quoted = (list: readonly string[]) => list.map((name) => `"${name}"`).join(", ");
  return {
    table,
    where,
    reads: names,
    columns,
    limit: READ_ROWS_MAX,
    sql: (relation, page) => `SELECT ${quoted(names)} FROM (${relation}) ORDER BY ${quoted(order)} LIMIT ${page.limit}`,
  };
}
