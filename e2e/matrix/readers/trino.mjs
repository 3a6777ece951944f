import { columnNames, trino as dialect, whereSql } from "../sql.mjs";

export const trino = {
  name: "Trino",
  engine: "trino",
  read({ sql }, table, columns, { snapshotId, where }) {
    const past = snapshotId === undefined ? "" : ` FOR VERSION AS OF ${snapshotId}`;
    return sql(`SELECT ${columnNames(dialect, columns)} FROM lake.${table}${past}${whereSql(dialect, columns, where)}`);
  },
};
