/**
 * The batch aggregation pattern, measured: the summary rebuilt from all transactions, and the revenue question on raw and
 * on the summary, each beside DuckDB over the same Parquet files in the same run.
 *
 *   node tools/run-ts.mjs bench/sales.ts [--rows 10000000] [--days 90] [--products 1000] [--times 5]
 *
 * The lake in one process: the writer's and the aggregator's own stages, on local files, the in-memory catalog and
 * in-memory streams. Transactions come from a seed (a hash of their number) and lie in raw as another engine commits
 * them, a million a commit; what is timed begins after that.
 */
import { createSalesDataset } from "@firn/datasets";
import type { QuestionReply } from "@firn/client";
import { commitChange, LakeError, planScan, sqlStringList, stageRows, stageUpsert } from "@firn/lake";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { askedLake } from "../e2e/support/asked-lake.ts";
import { InProcessLake } from "../e2e/support/in-process-lake.ts";
import { type Cost, costOf, medianCost } from "./load/cost.ts";

type SalesComparison = QuestionReply<"sales.compare">["data"];

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    days: { type: "string", default: "90" },
    products: { type: "string", default: "1000" },
    times: { type: "string", default: "5" },
  },
});
const rows = Number(options.rows);
const days = Number(options.days);
const products = Number(options.products);
const times = Number(options.times);
const rowsPerCommit = 1_000_000;
const SETTLE_LIMIT_MS = 600_000;

const dataset = createSalesDataset();
const summary = dataset.rollups[0]!.table;

const shown = ({ wallMs, cpuMs }: Cost) => `${wallMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms of CPU`;

/** Transactions `from` … `from + count` in the columns of raw: days in the order of their numbers, as a lake grows. */
function transactionsSql(from: number, count: number): string {
  const pick = (salt: number, of: number) => `(hash(n * 31 + ${salt}) % ${of})`;
  return `SELECT format('tx-{:012d}', n) AS transaction_id, DATE '2025-01-01' + (n * ${days} // ${rows})::INTEGER AS transaction_date,
      (101 + ${pick(1, products)})::BIGINT AS product_id, q AS quantity, p AS unit_price, q * p AS amount,
      NULL::VARCHAR AS store, NULL::VARCHAR AS currency, 'bench' AS source
    FROM (SELECT n, (1 + ${pick(2, 10)})::BIGINT AS q, [29.99, 49.99, 99.99][(1 + ${pick(3, 3)})::BIGINT]::DOUBLE AS p
      FROM range(${from}, ${from + count}) AS r(n))`;
}

/** Commits again where the writer's maintenance came first. */
async function unlessMoved(commit: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await commit();
      return;
    } catch (error) {
      if (!(error instanceof LakeError) || error.kind !== "conflict" || tries === 20) throw error;
    }
  }
}

async function fill(lake: InProcessLake): Promise<void> {
  for (let from = 0; from < rows; from += rowsPerCommit) {
    const relationSql = transactionsSql(from, Math.min(rowsPerCommit, rows - from));
    const staging = { env: lake.env, table: await lake.table(dataset.raw), relationSql, sort: dataset.raw.sort };
    const addedData = await stageRows(lake.connection, staging);
    await unlessMoved(async () =>
      commitChange(lake.env, await lake.table(dataset.raw), { operation: "append", addedData }),
    );
  }
}

/** Takes every row out of the summary, as another engine's DELETE does. */
async function emptySummary(lake: InProcessLake): Promise<void> {
  const table = await lake.table(summary);
  const keys = summary.identity.join(", ");
  await lake.connection.run(`CREATE OR REPLACE TABLE emptied AS SELECT * FROM (${await lake.scan(summary)})`);
  const change = await stageUpsert(lake.connection, {
    env: lake.env,
    table,
    rowsSql: "SELECT * FROM emptied WHERE false",
    deleteKeysSql: `SELECT ${keys} FROM emptied`,
    keyColumns: summary.identity,
  });
  await commitChange(lake.env, table, { operation: "overwrite", ...change });
}

async function filesSql(lake: InProcessLake, definition: typeof summary): Promise<string> {
  const plan = await planScan({ env: lake.env, table: await lake.table(definition) });
  const paths = await Promise.all(
    plan.tasks.map(({ file }) => lake.env.store.localPath(file.filePath, file.fileSizeBytes)),
  );
  return `read_parquet(${sqlStringList(paths)})`;
}

async function main(lake: InProcessLake): Promise<void> {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
  console.log(`${rows} transactions of ${products} products over ${days} days`);
  console.log(`filled:                       ${shown(await costOf(() => fill(lake)))}`);
  console.log(`taken up and summed up:       ${shown(await costOf(() => lake.settle(SETTLE_LIMIT_MS)))}`);
  await unlessMoved(() => emptySummary(lake));
  const built = await costOf(async () => {
    const { rows: written, validation } = await lake.rebuild({ validate: true });
    const judged = validation?.rollups[0];
    if (!validation?.ok) throw new Error("the rebuild was refused");
    console.log(`rebuilt:                      ${written} rows, reduced ${judged?.reduction_factor?.toFixed(1)} times`);
  });
  const raw = await filesSql(lake, dataset.raw);
  const reference = await costOf(() =>
    lake.connection
      .run(`CREATE OR REPLACE TABLE reference AS SELECT transaction_date, product_id, count(*) AS n, sum(quantity) AS q,
      fsum(amount) AS total, avg(amount) AS mean, max(amount) AS most, min(amount) AS least FROM ${raw} GROUP BY ALL`),
  );
  const ratio = (built.cpuMs / reference.cpuMs).toFixed(1);
  console.log(`rebuild with validation:      ${shown(built)}`);
  console.log(`DuckDB, the GROUP BY alone:   ${shown(reference)} (the rebuild takes ${ratio} times its CPU)`);
  await compareRevenue(lake, raw);
}

async function compareRevenue(lake: InProcessLake, rawFiles: string): Promise<void> {
  const asked = await askedLake(lake, undefined, 0);
  const { data: compared } = await asked.ask<SalesComparison>("/api/sales/compare");
  if (!compared.equal) throw new Error("raw and summary answer otherwise");
  const summaryFiles = await filesSql(lake, summary);
  for (const [source, files, column] of [
    ["raw", rawFiles, "amount"],
    ["summary", summaryFiles, "total_revenue"],
  ] as const) {
    const own = await medianOf(() => asked.ask("/api/sales/revenue", { source }));
    const sql = `SELECT product_id, fsum(${column}) FROM ${files} GROUP BY product_id ORDER BY product_id`;
    const duck = await medianOf(() => lake.connection.rows(sql));
    const { rows: read, bytes } = compared[source];
    console.log(
      `revenue from ${source.padEnd(8)}         ${shown(own)}, ${read} rows, ${bytes} bytes (median of ${times})`,
    );
    console.log(`  DuckDB on the same files:   ${shown(duck)}`);
  }
  await asked.close();
}

async function medianOf(work: () => Promise<unknown>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let time = 0; time < times; time++) costs.push(await costOf(work));
  return medianCost(costs);
}

const lake = await InProcessLake.open({ dataset });
try {
  await main(lake);
} finally {
  await lake.close();
}
