// The reference: DuckDB alone, one thread, on the same payloads: parse, check, keep the latest of each identity, write
// raw by day and type, the errors, and the rollups of days, weeks and months. No stream, no commits, no time zones but
// UTC, no history: less than the lake does.
import { DuckDBInstance } from "@duckdb/node-api";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const payloadsPerFile = 1_000;

/** Runs in a process of its own, so that its CPU seconds are its own. */
export async function referenceRun(bodies, say) {
  const folder = mkdtempSync(join(tmpdir(), "firn-reference-"));
  try {
    let samples = 0;
    for (let start = 0; start < bodies.length; start += payloadsPerFile) {
      const part = bodies.slice(start, start + payloadsPerFile);
      appendFileSync(join(folder, `payloads-${String(start).padStart(9, "0")}.ndjson`), `${part.join("\n")}\n`);
      samples += part.length * 100;
    }
    say("reference: DuckDB alone");
    const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), folder], { encoding: "utf8" });
    const { seconds, cpu, rows } = JSON.parse(output);
    return { seconds, cpuSeconds: cpu, rows, samplesPerSecond: samples / seconds, samplesPerCpuSecond: samples / cpu };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(folder) {
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "4GB" });
  const connection = await instance.connect();
  const sample =
    "STRUCT(id VARCHAR, type VARCHAR, value DOUBLE, unit VARCHAR, startDate TIMESTAMPTZ, endDate TIMESTAMPTZ, sourceBundle VARCHAR, metadata MAP(VARCHAR, VARCHAR), isSynced BOOLEAN, createdAt TIMESTAMPTZ, timezone VARCHAR, timezoneOffset INTEGER)";
  await connection.run(`SET TimeZone = 'UTC'; SET partitioned_write_max_open_files = 4096;
    CREATE TABLE arrivals AS SELECT deviceId, userId, timestamp, appVersion, unnest(samples, recursive := true)
    FROM read_json('${folder}/*.ndjson', format = 'newline_delimited', columns = {deviceId: 'VARCHAR', userId: 'VARCHAR',
      timestamp: 'TIMESTAMPTZ', appVersion: 'VARCHAR', samples: '${sample}[]'});
    CREATE TABLE raw AS SELECT *, startDate::DATE AS day FROM arrivals WHERE value BETWEEN 0 AND 100000
      QUALIFY row_number() OVER (PARTITION BY userId, id ORDER BY arrivals.rowid DESC) = 1;
    COPY (SELECT * FROM raw ORDER BY day, type, userId, startDate) TO '${folder}/raw' (FORMAT parquet, PARTITION_BY (day, type), COMPRESSION snappy);
    COPY (SELECT * FROM arrivals WHERE NOT value BETWEEN 0 AND 100000) TO '${folder}/errors.parquet' (FORMAT parquet, COMPRESSION snappy);
    CREATE TABLE daily AS SELECT userId, type, day, min(value) AS low, max(value) AS high, avg(value) AS mean, sum(value) AS total,
      count(*) AS n, stddev_pop(value) AS sd, arg_min(value, (startDate, id)) AS first, arg_max(value, (startDate, id)) AS last
      FROM raw GROUP BY ALL;
    COPY (SELECT * FROM daily ORDER BY userId, type, day) TO '${folder}/daily.parquet' (FORMAT parquet, COMPRESSION snappy);
    COPY (SELECT userId, type, date_trunc('week', day), min(low), max(high), sum(total), sum(n), avg(mean) FROM daily GROUP BY ALL) TO '${folder}/weekly.parquet' (FORMAT parquet, COMPRESSION snappy);
    COPY (SELECT userId, type, date_trunc('month', day), min(low), max(high), sum(total), sum(n), avg(mean) FROM daily GROUP BY ALL) TO '${folder}/monthly.parquet' (FORMAT parquet, COMPRESSION snappy)`);
  const rows = Number((await (await connection.run("SELECT count(*) FROM raw")).getRows())[0][0]);
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, rows }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
