import type { AnswerColumn } from "@firn/client";
import type { Dataset, TableDefinition } from "@firn/core";
import type { Predicate } from "@firn/lake";
import type { Queryable } from "@firn/relational";
import type { AnswerTable } from "../answers/answer-table.ts";
import type { RecordBacktest } from "../market/record-backtest.ts";
import type { Parameters } from "../parameters/parse-parameters.ts";

/** How rows of one table are read: which of them, and the SQL over them. Pure; nothing was read yet. */
export interface QuestionPlan {
  readonly table: TableDefinition;
  /** Rows that count. Prunes partitions and files, and filters what is left. */
  readonly where: Predicate;
  /** Columns of the table that the SQL reads, those of `where` included. */
  readonly reads: readonly string[];
  /** Columns of the answer. */
  readonly columns: readonly AnswerColumn[];
  /** A SELECT with `columns`, in order, over a relation that holds the rows of `where`. */
  sql(relation: string, page: PageSql): string;
  /** The most rows of one page. */
  readonly limit: number;
  /** Where pages end and begin; absent for questions that have but one page. */
  readonly key?: PageKey;
  /** How much of the table has to be read; absent: every file that may hold rows of `where`. */
  readonly reach?: Reach;
  /** Kinds whose units `meta.unit` names; absent where the answer has no values of types. */
  readonly unitsOf?: readonly string[];
}

/** An answer that is computed from the rows of several plans, or of none. */
export interface ComputedPlan {
  readonly plans: readonly QuestionPlan[];
  /** All that the answer hangs on beside the parameters and the plans' rows; JSON. */
  readonly context: unknown;
  /** @param tables the rows of each plan, in their order */
  compute(tables: readonly AnswerTable[]): ComputedAnswer;
  /** The most rows of one page; absent where the answer has but one. */
  readonly limit?: number;
  /** What the asker wants done with the answer before he gets it. */
  finish?(answer: ComputedAnswer): Promise<ComputedAnswer>;
}

export interface ComputedAnswer {
  readonly table: AnswerTable;
  /** What stands in `data` in the place of the table's rows. */
  readonly document?: AnswerDocument;
}

export interface AnswerDocument {
  /** As JSON has it. */
  value(): unknown;
  /** How many values it holds beside those of the table: what keeping it costs. */
  readonly values: number;
}

/** SQL of the rows after the cursor (TRUE on the first page), and the rows to fetch. */
export interface PageSql {
  readonly after: string;
  readonly limit: number;
}

/** Columns that order the rows of a list, and tell every two of them apart. */
export interface PageKey {
  readonly columns: readonly { readonly name: string; readonly direction: "asc" | "desc" }[];
}

/**
 * Files are read in the order of a column's bounds, only as far as they are needed: until `rows` rows lie before every
 * file that is left, or so many distinct values of the column do.
 */
export interface Reach {
  readonly column: string;
  readonly direction: "asc" | "desc";
  readonly until: "limit" | { readonly distinct: number };
}

export interface PlanInput {
  readonly dataset: Dataset;
  readonly parameters: Parameters;
}

/** What a planner may ask before it can say what is to be read. */
export interface AsyncPlanInput extends PlanInput {
  /** PostgreSQL; throws 503 where there is none. */
  readonly relations: Queryable;
  /** Stores what a backtest came to; answers the port_id of the portfolio that it became, null where it became none. */
  readonly recordBacktest: RecordBacktest;
  readonly market: MarketChoices;
  /** The instant that the question is about, in ms since 1970, for what is no table's; undefined: now. */
  timeMs(): Promise<number | undefined>;
  /** Rows of a table, at the state that the question is asked of. */
  read(plan: QuestionPlan): Promise<AnswerTable>;
  /** The same, never from what was kept, with what it cost. */
  measure(plan: QuestionPlan): Promise<MeasuredRows>;
}

export interface MeasuredRows {
  readonly table: AnswerTable;
  readonly bytesRead: number;
  readonly elapsedMs: number;
}

/** What a site chooses for the market lake. */
export interface MarketChoices {
  /** Ticker of the benchmark where the question names none. */
  readonly benchmark: string;
  /** FRED's ids of the series that regimes are made of. */
  readonly growthSeries: string;
  readonly priceIndexSeries: string;
}

export type QuestionPlanner = (
  input: AsyncPlanInput,
) => QuestionPlan | ComputedPlan | Promise<QuestionPlan | ComputedPlan>;
