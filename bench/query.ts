/**
 * The 30-day question of one user over HTTP, on a daily table of 10 million rows.
 *
 *   node tools/run-ts.mjs bench/query.ts [--rows 10000000] [--row-group-rows N] [--questions 1000]
 *
 * Makes the table through libs/lake and the REST catalog in a temporary folder, asks random users and types, and prints
 * the machine, the commit, p50, p95 and p99, and beside them the same SQL by DuckDB alone in this process, on the very
 * files, without catalog, manifests and HTTP. Asserts nothing about time.
 */
import { createHealthDataset } from "@firn/datasets";
import {
  createTableRequest,
  currentFiles,
  definedIdentifier,
  openKernel,
  openLake,
  postCommit,
  sqlString,
  sqlStringList,
  stageCommit,
  stageRows,
  type KernelConnection,
  type LakeEnvironment,
  type Table,
} from "@firn/lake";
import { startNatsServer, startScript, tempFolder, type AppProcess } from "@firn/testing";
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { askHttp, closeConnections, printPercentiles, timeEach } from "./load/timed-questions.ts";

const TYPES = 12;
const MONTHS = 12;
const YEAR = 2025;

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    "row-group-rows": { type: "string" },
    questions: { type: "string", default: "1000" },
  },
});
const users = Math.ceil(Number(options.rows) / (TYPES * 365));
const questions = Number(options.questions);

function rowsOfMonth(month: number): string {
  const first = `${YEAR}-${String(month).padStart(2, "0")}-01`;
  return `
    SELECT user_id, data_type, strftime(day, '%Y-%m-%d') AS aggregation_date, day::TIMESTAMPTZ AS window_start,
      (day + INTERVAL 1 DAY)::TIMESTAMPTZ AS window_end, v AS min_value, v + 60 AS max_value, v + 20.5 AS avg_value,
      (v + 20.5) * 24 AS sum_value, 24::BIGINT AS "count", v / 7 AS stddev_value, v + 1 AS first_value,
      v + 2 AS last_value, 24::BIGINT AS record_count, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS updated_at, 'UTC' AS timezone
    FROM (
      SELECT 'user-' || lpad(u::VARCHAR, 6, '0') AS user_id, 'type' || t AS data_type, d::DATE AS day,
        (hash(u, t, d) % 1000) / 10.0 AS v
      FROM range(${users}) AS us(u), range(${TYPES}) AS ts(t),
        range(TIMESTAMP '${first}', TIMESTAMP '${first}' + INTERVAL 1 MONTH, INTERVAL 1 DAY) AS ds(d))`;
}

async function makeTable(env: LakeEnvironment, connection: KernelConnection): Promise<Table> {
  const daily = createHealthDataset().rollups[0]!.table;
  const identifier = definedIdentifier(daily);
  await env.catalog.createNamespace(identifier.namespace);
  const rowGroupRows = options["row-group-rows"];
  let table: Table = {
    identifier,
    ...(await env.catalog.createTable(identifier, createTableRequest(daily))),
  };
  for (let month = 1; month <= MONTHS; month++) {
    const relationSql = rowsOfMonth(month);
    const rowGroups = rowGroupRows === undefined ? {} : { rowGroupRows: Number(rowGroupRows) };
    const addedData = await stageRows(connection, { env, table, relationSql, evaluateAgain: true, ...rowGroups });
    const staged = await stageCommit(env, { table, changes: [{ operation: "append", addedData }] });
    table = (await postCommit(env, staged)).table;
  }
  return table;
}

interface Question {
  readonly user: string;
  readonly type: string;
  readonly from: string;
  readonly to: string;
}

function randomQuestion(): Question {
  const user = `user-${String(Math.floor(Math.random() * users)).padStart(6, "0")}`;
  const from = new Date(Date.UTC(YEAR, 0, 1 + Math.floor(Math.random() * 334)));
  const to = new Date(from.getTime() + 29 * 86_400_000);
  const date = (at: Date) => at.toISOString().slice(0, 10);
  return { user, type: `type${Math.floor(Math.random() * TYPES)}`, from: date(from), to: date(to) };
}

function urlOf(service: string, { user, type, from, to }: Question): string {
  return `${service}/api/health/daily?user_id=${user}&data_type=${type}&start_date=${from}&end_date=${to}`;
}

function measure(ask: (question: Question) => Promise<number>): Promise<number[]> {
  return timeEach(questions, 50, async () => {
    const rows = await ask(randomQuestion());
    if (rows !== 30) throw new Error(`${rows} rows for 30 days`);
  });
}

/** By its path from the root: this file runs bundled, so that it cannot find the apps beside itself. */
function startApp({ app, env }: { app: string; env: Record<string, string> }): Promise<AppProcess> {
  return startScript(join(process.cwd(), "apps", app, "dist", "main.js"), { app, env, cwd: process.cwd() });
}

async function main(): Promise<void> {
  const folder = await tempFolder("bench-query");
  const warehouse = `${folder.path}/warehouse`;
  const nats = await startNatsServer({ dir: `${folder.path}/nats` });
  const shared = { FIRN_PORT: "0", FIRN_LOG_LEVEL: "warn", FIRN_DATA_DIR: folder.path, ICEBERG_WAREHOUSE: warehouse };
  const catalog = await startApp({ app: "catalog", env: shared });
  const env = await openLake({ catalogUri: catalog.url, warehouse });
  const kernel = await openKernel({ memoryLimitMb: 2048, threads: 1, tempDir: `${folder.path}/spill` });
  const connection = await kernel.connect();
  const startMs = performance.now();
  const table = await makeTable(env, connection);
  const files = (await currentFiles(env, table)).data;
  const rows = files.reduce((sum, file) => sum + file.recordCount, 0);
  const megabytes = files.reduce((sum, file) => sum + file.fileSizeBytes, 0) / 1e6;
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  console.log(`${cpus()[0]?.model ?? "unknown"} × ${cpus().length}, node ${process.version}, commit ${commit}`);
  const madeSeconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${rows} rows in ${files.length} files, ${megabytes.toFixed(0)} MB, made in ${madeSeconds} s`);

  const query = await startApp({
    app: "query",
    env: { ...shared, NATS_URL: nats.url, ICEBERG_CATALOG_URI: catalog.url, FIRN_QUERY_CACHE_VALUES: "0" },
  });
  let bytes = 0;
  const inside: number[] = [];
  const overHttp = await measure(async (question) => {
    const answer = JSON.parse(await askHttp(urlOf(query.url, question))) as {
      data: unknown[];
      stats: { bytes_read: number; elapsed_ms: number };
    };
    bytes += answer.stats.bytes_read;
    inside.push(answer.stats.elapsed_ms);
    return answer.data.length;
  });
  printPercentiles("HTTP, catalog asked each time", overHttp);
  printPercentiles(
    "  of it inside the service",
    inside.sort((one, other) => one - other),
  );
  console.log(`  ${Math.round(bytes / (questions + 50) / 1000)} kB read a question`);

  await connection.run("SET parquet_metadata_cache = true");
  const paths = await Promise.all(
    files.map(async (file) => ({ file, path: await env.store.localPath(file.filePath) })),
  );
  const alone = await measure(async ({ user, type, from, to }) => {
    const found = await connection.rows(`SELECT * FROM read_parquet(${sqlStringList(paths.map(({ path }) => path))})
      WHERE user_id = ${sqlString(user)} AND data_type = ${sqlString(type)}
      AND aggregation_date BETWEEN ${sqlString(from)} AND ${sqlString(to)} ORDER BY aggregation_date`);
    return found.length;
  });
  printPercentiles("DuckDB alone over all files", alone);
  console.log(`ratio of the medians ${(overHttp[questions >> 1]! / alone[questions >> 1]!).toFixed(2)}`);

  connection.close();
  kernel.close();
  closeConnections();
  for (const app of [query, catalog]) await app.stop();
  await nats.stop();
  await folder.remove();
}

await main();
