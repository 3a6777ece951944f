// chDB (ClickHouse) on files: chdb-session.mjs CHDB_FOLDER WAREHOUSE, then statements in base64, one a line.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const FORMAT = [
  ...["output_format_json_quote_64bit_integers=1", "output_format_json_quote_decimals=1"],
  ...["output_format_json_quote_denormals=1", "output_format_json_named_tuples_as_objects=1", "session_timezone='UTC'"],
].join(", ");

const [folder, warehouse] = process.argv.slice(2);
const require = createRequire(join(resolve(folder), "package.json"));
process.chdir(warehouse); // chDB reads below the working directory only
const { query } = require("chdb");

const answer = (json) => process.stdout.write(`${json}\n`);
answer('{"rows":[]}');
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const statement = `${Buffer.from(line, "base64").toString()}, ${FORMAT}`;
    const text = String(query(statement, "JSONCompactEachRow")).trim();
    answer(`{"rows":[${text.split("\n").join(",")}]}`); // as it is: a number that is -0 would lose its sign here
  } catch (error) {
    answer(JSON.stringify({ error: error.message }));
  }
}
