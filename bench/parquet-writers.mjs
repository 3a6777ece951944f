// Why data files are not written by parquetjs-lite: rows per second and what stands in the files, for health samples.
//
//   node bench/parquet-writers.mjs [--rows N]
//
// The reference is DuckDB's COPY, the writer in use. Run it again when either changes.
import { DuckDBInstance } from "@duckdb/node-api";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { parquetMetadata } from "hyparquet";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import parquet from "parquetjs-lite";
import { scriptOptions } from "../tools/script-options.mjs";

const values = scriptOptions({ rows: { type: "string", default: "100000" } });
const rows = Number(values.rows);
const folder = mkdtempSync(join(tmpdir(), "firn-parquet-"));
const samples = Array.from({ length: rows }, (_, n) => ({
  user_id: `user-${n % 5000}`,
  sample_id: `sample-${n}`,
  data_type: ["heartRate", "stepCount", "bodyMass"][n % 3],
  value: (n % 1000) / 7,
  unit: "count/min",
  start_date: new Date(1_790_000_000_000 + n * 1000),
}));
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
console.log(
  `commit ${commit}, ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${rows} rows of 6 columns`,
);
try {
  const lite = await measure("parquetjs-lite", writeWithParquetjs);
  const duck = await measure("DuckDB COPY (JSON columns in)", writeWithDuckDb);
  console.log(`ratio: DuckDB writes ${(lite.seconds / duck.seconds).toFixed(1)} times as many rows a CPU second`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name, write) {
  const path = join(folder, `${name.split(" ")[0]}.parquet`);
  const before = process.cpuUsage();
  await write(path);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  const bytes = readFileSync(path);
  const metadata = parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const leaf = (column) => metadata.schema.find((element) => element.name === column);
  console.log(
    `${name}: ${Math.round(rows / seconds).toLocaleString("en")} rows per CPU second, ${(statSync(path).size / 1e6).toFixed(2)} MB; ` +
      `field ids: ${leaf("user_id")?.field_id === undefined ? "no" : "yes"}; ` +
      `start_date: ${JSON.stringify(leaf("start_date")?.logical_type ?? leaf("start_date")?.converted_type)}; ` +
      `dictionary: ${metadata.row_groups[0].columns[2].meta_data.encodings.some((encoding) => encoding.includes("DICTIONARY")) ? "yes" : "no"}`,
  );
  return { seconds };
}

async function writeWithParquetjs(path) {
  const schema = new parquet.ParquetSchema({
    user_id: { type: "UTF8", compression: "SNAPPY" },
    sample_id: { type: "UTF8", compression: "SNAPPY" },
    data_type: { type: "UTF8", compression: "SNAPPY" },
    value: { type: "DOUBLE", compression: "SNAPPY" },
    unit: { type: "UTF8", compression: "SNAPPY" },
    start_date: { type: "TIMESTAMP_MICROS", compression: "SNAPPY" },
  });
  const writer = await parquet.ParquetWriter.openFile(schema, path);
  for (const sample of samples) await writer.appendRow({ ...sample, start_date: sample.start_date.getTime() * 1000 });
  await writer.close();
}

async function writeWithDuckDb(path) {
  const names = Object.keys(samples[0]);
  const columns = Object.fromEntries(
    names.map((name) => [
      name,
      samples.map((sample) => (name === "start_date" ? sample[name].getTime() * 1000 : sample[name])),
    ]),
  );
  const json = `${path}.json`;
  writeFileSync(json, JSON.stringify(columns));
  const connection = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  const types = { value: "DOUBLE[]", start_date: "BIGINT[]" };
  await connection.run(`COPY (SELECT * REPLACE (make_timestamptz(start_date) AS start_date) FROM (
      SELECT ${names.map((name) => `unnest("${name}") AS "${name}"`).join(", ")} FROM read_json('${json}', format = 'unstructured',
        maximum_object_size = 1000000000, columns = {${names.map((name) => `"${name}": '${types[name] ?? "VARCHAR[]"}'`).join(", ")}})))
    TO '${path}' (FORMAT parquet, COMPRESSION snappy, FIELD_IDS {${names.map((name, at) => `"${name}": ${at + 1}`).join(", ")}})`);
}
