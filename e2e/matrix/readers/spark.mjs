import { columnNames, spark as dialect, whereSql } from "../sql.mjs";

export const spark = {
  name: "Spark",
  engine: "spark",
  read({ sql }, table, columns, { snapshotId, where }) {
    const past = snapshotId === undefined ? "" : ` VERSION AS OF ${snapshotId}`;
    return sql(`SELECT ${columnNames(dialect, columns)} FROM lake.${table}${past}${whereSql(dialect, columns, where)}`);
  },
};
