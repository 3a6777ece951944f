import { columnNames, duckdb as dialect, whereSql } from "../sql.mjs";

export const duckdb = {
  name: "DuckDB",
  engine: "duckdb",
  read({ sql }, table, columns, { snapshotId, where }) {
    const past = snapshotId === undefined ? "" : ` AT (VERSION => ${snapshotId})`;
    return sql(`SELECT ${columnNames(dialect, columns)} FROM lake.${table}${past}${whereSql(dialect, columns, where)}`);
  },
};
