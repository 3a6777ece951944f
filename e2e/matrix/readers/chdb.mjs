import { clickhouse as dialect, whereSql } from "../sql.mjs";

/** ClickHouse knows the folder and not the catalog: the current metadata file is named. Bytes are read as hexadecimal. */
export const chdb = {
  name: "chDB",
  engine: "chdb",
  async read({ sql, locate }, table, columns, { snapshotId, where }) {
    const { directory, metadata } = await locate(table);
    const list = columns.map(({ name, type }) =>
      type === "binary" ? `hex(${dialect.name(name)})` : dialect.name(name),
    );
    const source = `icebergLocal('${directory}', SETTINGS iceberg_metadata_file_path = '${metadata}')`;
    const past = snapshotId === undefined ? "" : `, iceberg_snapshot_id = ${snapshotId}`;
    const rows = await sql(
      `SELECT ${list.join(", ")} FROM ${source}${whereSql(dialect, columns, where)} SETTINGS max_threads = 1${past}`,
    );
    return rows.map((row) =>
      row.map((value, index) => (columns[index].type === "binary" && value ? value.toLowerCase() : value)),
    );
  },
};
