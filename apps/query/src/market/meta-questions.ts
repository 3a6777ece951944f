import { findQuestion, type AnswerColumn } from "@firn/client";
import {
  orderBy,
  parseDate,
  selectList,
  tableOfRows,
  type ComputedPlan,
  type QuestionPlan,
  type RowCondition,
} from "@firn/core";
import { listSecurities, type Security } from "@firn/relational";
import { knownSecurities } from "./known-securities.ts";
import { marketTable } from "./market-tables.ts";
import { askedMarket } from "./price-questions.ts";
import type { MarketInput } from "./market-input.ts";

/** `meta`, `meta/tickers`: securities from PostgreSQL; of the past from the table that mirrors them. */
export async function planSecurities(
  input: MarketInput,
  name: "list" | "tickers",
): Promise<QuestionPlan | ComputedPlan> {
  const { columns } = findQuestion("meta", name)!;
  const market = askedMarket(input);
  const isoCode = market === undefined ? undefined : market === "us" ? "US" : "KR";
  const limit = input.parameters["limit"] as number;
  if (isAboutThePast(input)) {
    return mirrored(
      input,
      columns,
      isoCode === undefined ? [] : [{ op: "eq", column: "iso_code", value: isoCode }],
      limit,
    );
  }
  const securities = await listSecurities(input.relations, isoCode === undefined ? {} : { isoCode });
  return { plans: [], context: null, limit, compute: () => ({ table: securityTable(columns, securities) }) };
}

/** `meta/{meta_id}`: one security. */
export async function planSecurity(input: MarketInput): Promise<QuestionPlan | ComputedPlan> {
  const { columns } = findQuestion("meta", "security")!;
  const metaId = input.parameters["meta_id"] as number;
  if (isAboutThePast(input)) return mirrored(input, columns, [{ op: "eq", column: "meta_id", value: metaId }], 1);
  const securities = await knownSecurities(input.relations, [metaId], "meta_id");
  return { plans: [], context: null, compute: () => ({ table: securityTable(columns, securities) }) };
}

export function isAboutThePast({ parameters }: MarketInput): boolean {
  return parameters["as_of"] !== undefined || parameters["snapshot_id"] !== undefined;
}

function securityTable(columns: readonly AnswerColumn[], securities: readonly Security[]) {
  const day = (date: string | null) => (date === null ? null : (parseDate(date) ?? null));
  const rows = securities.map((row) => ({ ...row, min_date: day(row.min_date), max_date: day(row.max_date) }));
  return tableOfRows(columns, rows);
}

function mirrored(
  { dataset }: MarketInput,
  columns: readonly AnswerColumn[],
  where: readonly RowCondition[],
  limit: number,
): QuestionPlan {
  const key = { columns: [{ name: "meta_id", direction: "asc" }] } as const;
  return {
    table: marketTable(dataset, "tb_meta"),
    where,
    reads: [...new Set([...columns.map((column) => column.name), "iso_code"])],
    columns,
    limit,
    key,
    sql: (relation, page) =>
      `SELECT ${selectList(columns)} FROM (${relation}) WHERE ${page.after} ORDER BY ${orderBy(key.columns)} LIMIT ${page.limit}`,
  };
}
