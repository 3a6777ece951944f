/**
 * Prints columns of a table as NDJSON, one array a row, in no order:
 *
 *   node tools/run-ts.mjs e2e/support/print-rows.ts DATA_DIR TABLE COLUMN…
 */
import { once } from "node:events";
import { openLakeTables } from "./lake-tables.ts";

const rowsPerWrite = 5_000;

const [dataDir = "", table, ...columns] = process.argv.slice(2);
const tables = await openLakeTables(dataDir);
const definition = tables.definitions.find(({ name }) => name === table);
if (!definition) throw new Error(`there is no table ${table}`);
const rows = await tables.rows<Record<string, unknown>>(definition, columns);
for (let from = 0; from < rows.length; from += rowsPerWrite) {
  const lines = rows.slice(from, from + rowsPerWrite).map((row) => JSON.stringify(columns.map((name) => row[name])));
  if (!process.stdout.write(`${lines.join("\n")}\n`)) await once(process.stdout, "drain");
}
tables.close();
