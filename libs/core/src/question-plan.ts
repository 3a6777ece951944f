import type { AnswerTable } from "./answer-table.ts";
import type { Dataset, TableDefinition } from "./dataset.ts";
import type { ParameterValue } from "./question-parameter.ts";
import type { AnswerColumn, QuestionDefinition } from "./question.ts";

/**
 * How a question is answered, as data and pure functions: a planner says which rows of which tables are read and what
 * becomes of them; the query service chooses snapshots and files, reads, keeps answers and cuts pages.
 */

/** A question of a dataset's own, asked like any other over HTTP and NATS, with time travel, CSV and Arrow. */
export interface DatasetQuestion {
  readonly definition: QuestionDefinition;
  /** Absent where the query service itself knows how: it then has a planner of the question's key. */
  readonly plan?: QuestionPlanner;
}

/**
 * Says how a question is answered. It may ask PostgreSQL and read rows first; what it hangs on beside the parameters
 * and the rows of its plans must stand in `ComputedPlan.context`.
 *
 * @throws QuestionRefusal where the asker must mend something
 */
export type QuestionPlanner = (
  input: AsyncPlanInput,
) => QuestionPlan | ComputedPlan | Promise<QuestionPlan | ComputedPlan>;

/** Parsed parameters by name: defaults filled in, absent ones missing. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

export interface PlanInput {
  /** The lake that is asked, with the names of tables that the site has chosen. */
  readonly dataset: Dataset;
  readonly parameters: Parameters;
}

/** What a planner may ask before it can say what is to be read. */
export interface AsyncPlanInput extends PlanInput {
  readonly relations: Relations;
  /** The instant that the question is about, in ms since 1970, for what is no table's; undefined: now. */
  timeMs(): Promise<number | undefined>;
  /** Rows of a table, at the state that the question is asked of. */
  read(plan: QuestionPlan): Promise<AnswerTable>;
  /** The same, never from what was kept, with what it cost. */
  measure(plan: QuestionPlan): Promise<MeasuredRows>;
}

/** PostgreSQL. A site without one, and one that cannot be reached, is a 503 to the asker. */
export interface Relations {
  /** @param values of `$1`, `$2`, … */
  query<Row extends Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly Row[] }>;
}

export interface MeasuredRows {
  readonly table: AnswerTable;
  readonly bytesRead: number;
  readonly elapsedMs: number;
}

/** How rows of one table are read: which of them, and the SQL over them. Pure; nothing was read yet. */
export interface QuestionPlan {
  readonly table: TableDefinition;
  /** All of them hold of a row that counts. Partitions and files are pruned by them. */
  readonly where: readonly RowCondition[];
  /** Columns of the table that the SQL reads, those of `where` included. */
  readonly reads: readonly string[];
  /** Columns of the answer. */
  readonly columns: readonly AnswerColumn[];
  /** A SELECT of DuckDB with `columns`, in order, over a relation that holds the rows of `where`. */
  sql(relation: string, page: PageSql): string;
  /** The most rows of one page. */
  readonly limit: number;
  /** Where pages end and begin; absent for questions that have but one page. */
  readonly key?: PageKey;
  /** How much of the table has to be read; absent: every file that may hold rows of `where`. */
  readonly reach?: Reach;
  /** Kinds whose units `meta.unit` names; absent where the answer has no values of kinds. */
  readonly unitsOf?: readonly string[];
}

/** A condition on one column. Of a column of dates the value is YYYY-MM-DD or days since 1970-01-01. */
export type RowCondition =
  | {
      readonly op: "eq" | "lt" | "lte" | "gt" | "gte";
      readonly column: string;
      readonly value: string | number | bigint;
    }
  | { readonly op: "in"; readonly column: string; readonly values: readonly (string | number | bigint)[] }
  | { readonly op: "not_null"; readonly column: string };

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
