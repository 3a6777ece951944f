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
import { sqlString, sqlStringList } from "@firn/lake";
import { parseArgs } from "node:util";
import { makeAskedTable } from "./load/asked-table.ts";
import { askHttp, printPercentiles, timeEach } from "./load/timed-questions.ts";

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

async function main(): Promise<void> {
  const daily = createHealthDataset().rollups[0]!.table;
  const months = Array.from({ length: MONTHS }, (_, month) => rowsOfMonth(month + 1));
  const rowGroupRows = options["row-group-rows"];
  const rowGroups = rowGroupRows === undefined ? {} : { rowGroupRows: Number(rowGroupRows) };
  const { connection, paths, startQuery, close } = await makeAskedTable(daily, months, rowGroups);
  const { url, cpuMs } = await startQuery();
  const before = cpuMs();
  let bytes = 0;
  const inside: number[] = [];
  const overHttp = await measure(async (question) => {
    const answer = JSON.parse(await askHttp(urlOf(url, question))) as {
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
  console.log(`  ${((cpuMs() - before) / (questions + 50)).toFixed(1)} ms of the service's CPU a question`);
  console.log(`  ${Math.round(bytes / (questions + 50) / 1000)} kB read a question`);

  await connection.run("SET parquet_metadata_cache = true");
  const alone = await measure(async ({ user, type, from, to }) => {
    const found = await connection.rows(`SELECT * FROM read_parquet(${sqlStringList(paths)})
      WHERE user_id = ${sqlString(user)} AND data_type = ${sqlString(type)}
      AND aggregation_date BETWEEN ${sqlString(from)} AND ${sqlString(to)} ORDER BY aggregation_date`);
    return found.length;
  });
  printPercentiles("DuckDB alone over all files", alone);
  console.log(`ratio of the medians ${(overHttp[questions >> 1]! / alone[questions >> 1]!).toFixed(2)}`);

  await close();
}

await main();
