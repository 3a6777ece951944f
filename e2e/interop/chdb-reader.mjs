// Reads Iceberg tables with chDB (ClickHouse). Usage: chdb-reader.mjs CHDB_FOLDER, tables as JSON on standard input:
// [{ name, directory, metadata, sums: [column] }]. Prints { table: { figure: value } }.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const tables = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(join(process.argv[2], "package.json"));
const result = {};
// chDB reads below the working directory only.
process.chdir(tables[0].warehouse);
const { query } = require("chdb");
for (const { name, directory, metadata, sums } of tables) {
  const columns = ["count()", ...sums.map((column) => `coalesce(sum(${column}), 0)`)].join(", ");
  const sql = `SELECT ${columns} FROM icebergLocal('${directory}') SETTINGS iceberg_metadata_file_path = '${metadata}'`;
  const row = JSON.parse(String(query(sql, "JSONCompactEachRow")).trim());
  result[name] = { rows: Number(row[0]) };
  sums.forEach((column, index) => (result[name][`sum(${column})`] = Number(row[index + 1])));
}
console.log(JSON.stringify(result));
