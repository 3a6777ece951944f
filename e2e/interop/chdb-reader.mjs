// Reads Iceberg tables with chDB (ClickHouse) from their files. Usage: chdb-reader.mjs CHDB_FOLDER; standard input:
// { warehouse, figures, tables: { name: { directory, metadata } } }. Prints { table: { figure: value } }.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { warehouse, figures, tables } = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(join(process.argv[2], "package.json"));
// chDB reads below the working directory only.
process.chdir(warehouse);
const { query } = require("chdb");

const result = {};
for (const [name, { directory, metadata }] of Object.entries(tables)) {
  const columns = columnsOf(figures[name]);
  const source = `icebergLocal('${directory}', SETTINGS iceberg_metadata_file_path = '${metadata}')`;
  const sql = `SELECT ${Object.values(columns).join(", ")} FROM ${source} SETTINGS output_format_json_quote_64bit_integers = 0`;
  const values = JSON.parse(String(query(sql, "JSONCompactEachRow")).trim());
  result[name] = Object.fromEntries(Object.keys(columns).map((figure, index) => [figure, values[index]]));
}
console.log(JSON.stringify(result));

/** SQL by figure, named as readers.py names them. */
function columnsOf({ sums, identity, instant, text, map }) {
  const columns = { rows: "count()", "distinct identities": `uniqExact(${identity.join(", ")})` };
  for (const name of sums) columns[`sum(${name})`] = `toFloat64(coalesce(sum(${name}), 0))`;
  for (const fold of ["min", "max"]) columns[`${fold}(${instant})`] = `toUnixTimestamp64Micro(${fold}(${instant}))`;
  for (const fold of ["min", "max"]) columns[`${fold}(${text})`] = `${fold}(${text})`;
  if (map) columns[`rows with ${map.column}[${map.key}]`] = `countIf(mapContains(${map.column}, '${map.key}'))`;
  return columns;
}
