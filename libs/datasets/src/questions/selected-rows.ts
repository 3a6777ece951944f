import {
  orderBy,
  selectList,
  type AnswerColumn,
  type PageKey,
  type PlanInput,
  type QuestionPlan,
  type RowCondition,
  type TableDefinition,
} from "@firn/core";

/** Which rows of a table are read, and the rows of the answer that one SELECT makes of them. */
export interface SelectedRows {
  readonly table: TableDefinition;
  /** All of them hold of a row that counts; partitions and files are pruned by them. */
  readonly where: readonly RowCondition[];
  /** Columns of the table that the SELECT reads, those of `where` included. */
  readonly reads: readonly string[];
  /** Columns of the answer. */
  readonly columns: readonly AnswerColumn[];
  /** Columns of the answer that its rows are ordered by, and that tell every two of them apart. */
  readonly order: PageKey["columns"];
  /** A SELECT of DuckDB with `columns`, in their order, over a relation of the rows that count. */
  sql(rows: string): string;
}

/** Plans the rows of one SELECT, in order and page by page: of a question with the parameters `limit` and `cursor`. */
export function selectedRows({ parameters }: PlanInput, selected: SelectedRows): QuestionPlan {
  const { order, sql, ...plan } = selected;
  return {
    ...plan,
    limit: parameters["limit"] as number,
    key: { columns: order },
    sql: (relation, page) =>
      `SELECT ${selectList(plan.columns)} FROM (${sql(`(${relation})`)}) WHERE ${page.after} ORDER BY ${orderBy(order)} LIMIT ${page.limit}`,
  };
}
