import type { AnswerColumn, ColumnType, TableDefinition } from "@firn/core";

/** A table's columns as columns of an answer. Float columns are read as doubles. */
export function columnsOf(table: TableDefinition): AnswerColumn[] {
  return table.columns.map(({ name, type, required, doc }) => ({
    name,
    type: answerType(type),
    ...(required ? {} : { optional: true }),
    ...(doc === undefined ? {} : { doc }),
  }));
}

const answerType = (type: ColumnType): AnswerColumn["type"] => (type === "float" ? "double" : type);
