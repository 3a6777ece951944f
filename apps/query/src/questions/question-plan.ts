import type { AnswerColumn } from "@firn/client";
import type { Dataset, TableDefinition } from "@firn/core";
import type { Predicate } from "@firn/lake";
import type { Parameters } from "../parameters/parse-parameters.ts";

/** How one question is answered: which table, which of its rows, and the SQL over them. Pure; nothing was read yet. */
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
  /** Data types whose units `meta.unit` names; absent where the answer has no values of types. */
  readonly unitsOf?: readonly string[];
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
  readonly canonicalType: (name: string) => string;
}

export type QuestionPlanner = (input: PlanInput) => QuestionPlan;
