import type { TableDefinition } from "./dataset.ts";
import type { ParameterDefinition, ParameterRule, ParameterValue } from "./question-parameter.ts";
import type { AnswerColumn } from "./question.ts";

/**
 * A question of a dataset's own: rows that one SELECT makes of one of its tables. It is asked at `/api/<dataset>/<name>`
 * and over NATS like any other, with pages, time travel, CSV and Arrow.
 */
export interface DatasetQuestion {
  readonly name: string;
  /** A few words, and what the rows are, in a sentence. */
  readonly summary: string;
  readonly doc: string;
  /** Beside those that every question has: `limit`, `cursor`, `as_of` and `snapshot_id`. */
  readonly parameters: readonly ParameterDefinition[];
  readonly rules?: readonly ParameterRule[];
  readonly columns: readonly AnswerColumn[];
  /** Columns of the answer that its rows are ordered by, and that tell every two of them apart. */
  readonly order: readonly { readonly name: string; readonly direction: "asc" | "desc" }[];
  /** Which rows are read and what becomes of them. Pure; the parameters were checked and have their defaults. */
  select(parameters: Readonly<Record<string, ParameterValue>>): DatasetSelection;
}

export interface DatasetSelection {
  /** One of the dataset's own. */
  readonly table: TableDefinition;
  /** All of them hold of a row that counts; partitions and files are pruned by them. */
  readonly where: readonly RowCondition[];
  /** Columns that the SELECT reads, those of `where` included. */
  readonly reads: readonly string[];
  /** A SELECT of DuckDB with the question's columns, in their order, over a relation of the rows that count. */
  sql(rows: string): string;
}

/** Values as parameters have them; a date stays the text that it is. */
export type RowCondition =
  | {
      readonly op: "eq" | "lt" | "lte" | "gt" | "gte";
      readonly column: string;
      readonly value: string | number | bigint;
    }
  | { readonly op: "in"; readonly column: string; readonly values: readonly (string | number | bigint)[] }
  | { readonly op: "not_null"; readonly column: string };
