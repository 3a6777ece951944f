import { columnNames, flink as dialect, whereSql } from "../sql.mjs";

export const flink = {
  name: "Flink",
  engine: "flink",
  read({ sql }, table, columns, { snapshotId, where }) {
    const past = snapshotId === undefined ? "" : ` /*+ OPTIONS('snapshot-id'='${snapshotId}') */`;
    return sql(`SELECT ${columnNames(dialect, columns)} FROM lake.${table}${past}${whereSql(dialect, columns, where)}`);
  },
};
