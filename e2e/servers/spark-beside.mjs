// Spark and Firn on the same tables of a running health lake: each commits to what the other has compacted and expired, and
// both at once under load. Nothing is lost, nothing is there twice, and nobody stands still.
//
//   node e2e/servers/spark-beside.mjs [--seconds N]     how long both work at once, 20 when not said
//
// The last line is `N passed, N failed`.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { settled, startLake } from "../../bench/load/lake.mjs";
import { startSpark } from "../../tools/engines/spark.mjs";
import { scriptOptions } from "../../tools/script-options.mjs";

const options = scriptOptions({ seconds: { type: "string", default: "20" } });
const firn = join(import.meta.dirname, "..", "..", "apps", "cli", "dist", "main.js");
const table = "health_db.health_data_raw";
const raw = `lake.${table}`;
const users = 5;
/** For an operation that meets the other's commits, and for both to agree on the rows. */
const limitMs = 90_000;
/** Between two batches of samples. */
const pauseMs = 250;
/** The value that each sample has now, by user and id. */
const expected = new Map();
let passed = 0;
let failed = 0;
let ids = 0;

const lake = await startLake({ name: "spark" });
try {
  const spark = await startSpark({ catalogUri: lake.endpoints.catalog });
  try {
    await check("Spark reads what Firn wrote, with corrections", () => sparkReads(spark));
    await check("Firn commits to a table that Spark compacted and expired", () => afterSpark(spark));
    await check("Spark commits to a table that Firn compacted", () => afterFirn(spark));
    await check("both at once, under load", () => bothAtOnce(spark));
  } finally {
    await spark.stop();
  }
} finally {
  await lake.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function check(name, run) {
  const startMs = Date.now();
  try {
    const told = await run();
    passed++;
    console.log(`  ✓ ${name}${told === undefined ? "" : `: ${told}`} (${Math.round((Date.now() - startMs) / 1000)} s)`);
  } catch (error) {
    failed++;
    console.log(`  ✗ ${name}: ${error.stack}`);
  }
}

async function sparkReads(spark) {
  for (let round = 0; round < 8; round++) {
    await send(100);
    await settled(lake.endpoints);
  }
  await sameRows(spark);
}

async function afterSpark(spark) {
  await compact(spark);
  await spark.sql(`CALL lake.system.rewrite_position_delete_files(table => '${table}')`);
  await spark.sql(`CALL lake.system.rewrite_manifests('${table}')`);
  await expire(spark);
  for (let round = 0; round < 3; round++) await send(100);
  await sameRows(spark);
}

async function afterFirn(spark) {
  command("maintain", "health", "--run", "--statistics", "--json");
  await sketchesAreReadBy(spark);
  await insert(spark, 40);
  const [[gone]] = await spark.sql(`SELECT sample_id FROM ${raw} WHERE user_id = 'user-0' ORDER BY sample_id LIMIT 1`);
  await spark.sql(`DELETE FROM ${raw} WHERE user_id = 'user-0' AND sample_id = '${gone}'`);
  expected.delete(`user-0 ${gone}`);
  await sameRows(spark);
}

/** Spark's own library finds in each sketch what Firn says that is in it. */
async function sketchesAreReadBy(spark) {
  const answer = await fetch(`${lake.endpoints.catalog}/v1/namespaces/health_db/tables/health_data_raw`);
  const { metadata } = JSON.parse((await answer.text()).replaceAll(/("snapshot-id":)(\d+)/g, '$1"$2"'));
  const [file] = metadata.statistics;
  const bytes = readFileSync(new URL(file["statistics-path"]));
  const footer = bytes.subarray(bytes.length - file["file-footer-size-in-bytes"]);
  const { blobs } = JSON.parse(footer.subarray(4, 4 + footer.readUInt32LE(footer.length - 12)).toString("utf8"));
  for (const { offset, length, properties } of blobs) {
    const sketch = bytes.subarray(offset, offset + length).toString("hex");
    const [[found]] = await spark.sql(`SELECT theta_sketch_estimate(unhex('${sketch}'))`);
    if (Number(found) !== Number(properties.ndv)) throw new Error(`Spark counts ${found}, Firn ${properties.ndv}`);
  }
  if (blobs.length < 10) throw new Error(`${blobs.length} columns have sketches`);
}

/** Firn takes in samples and merges by itself, while Spark inserts, compacts and expires. */
async function bothAtOnce(spark) {
  const endMs = Date.now() + Number(options.seconds) * 1000;
  const done = { batches: 0, inserts: 0, compactions: 0, expiries: 0, again: 0 };
  const sending = (async () => {
    for (; Date.now() < endMs; done.batches++) {
      await send(60);
      await sleep(pauseMs);
    }
  })();
  try {
    do {
      done.again += await insisting(() => insert(spark, 20));
      done.inserts++;
      done.again += await insisting(() => compact(spark));
      done.compactions++;
      done.again += await insisting(() => expire(spark));
      done.expiries++;
    } while (Date.now() < endMs);
  } finally {
    await sending;
  }
  await sameRows(spark);
  return JSON.stringify(done);
}

/** A commit that another one came before is refused; asked again it must land in the end. Returns how often it was. */
async function insisting(work) {
  const deadline = Date.now() + limitMs;
  for (let refused = 0; ; refused++) {
    try {
      await work();
      return refused;
    } catch (error) {
      const isConflict = /conflict|cannot commit|stale|missing required files|requirement failed/i.test(error.message);
      if (!isConflict || Date.now() > deadline) throw error;
    }
  }
}

function compact(spark) {
  return spark.sql(`CALL lake.system.rewrite_data_files(table => '${table}', options => map('rewrite-all', 'true'))`);
}

/** All but the newest: those too that the aggregates name as their source. */
function expire(spark) {
  const now = new Date().toISOString().replace("T", " ").slice(0, 23);
  return spark.sql(
    `CALL lake.system.expire_snapshots(table => '${table}', older_than => TIMESTAMP '${now}', retain_last => 1)`,
  );
}

/** New samples of a few days, a quarter of them corrections of earlier ones. */
async function send(count) {
  const lines = new Map();
  for (let n = 0; n < count; n++) {
    const id = n % 4 === 3 && ids > 20 ? Math.floor((ids * ((n * 7) % 11)) / 11) : ids++;
    const userId = `user-${id % users}`;
    const at = new Date(Date.UTC(2026, 2, 1 + (id % 6), 8, id % 60, 0)).toISOString();
    const value = 60 + ((id + ids) % 90);
    const sample = { id: `f${id}`, type: "heartRate", unit: "count/min", value, startDate: at, endDate: at };
    lines.set(userId, [...(lines.get(userId) ?? []), sample]);
    expected.set(`${userId} f${id}`, value);
  }
  const answer = await fetch(`${lake.endpoints.ingest}/v1/ingest/health`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: [...lines].map(([userId, samples]) => JSON.stringify({ deviceId: "d", userId, samples })).join("\n"),
  });
  if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
}

/** Rows of Spark's own: an existing one with other names and values. */
async function insert(spark, count) {
  const first = ids;
  const own = { user_id: "'spark'", sample_id: "concat('s', n.id)", value: "CAST(50 + n.id % 100 AS DOUBLE)" };
  const columns = (await spark.sql(`DESCRIBE ${raw}`)).map(([name]) => name);
  const list = columns.slice(0, columns.findIndex((name) => name === "" || name.startsWith("#")) >>> 0);
  await spark.sql(`INSERT INTO ${raw} SELECT ${list.map((name) => own[name] ?? `one.${name}`).join(", ")}
    FROM (SELECT * FROM ${raw} LIMIT 1) AS one CROSS JOIN range(${first}, ${first + count}) AS n`);
  for (let id = first; id < first + count; id++) expected.set(`spark s${id}`, 50 + (id % 100));
  ids += count;
}

/** Soon everything is in raw once with its newest value, nothing is parked, and every aggregate equals raw. */
async function sameRows(spark) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    try {
      return await compareRows(spark);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(1_000);
    }
  }
}

async function compareRows(spark) {
  const { datasets } = await settled(lake.endpoints, 120_000);
  const rows = await spark.sql(`SELECT user_id, sample_id, CAST(value AS INT) FROM ${raw}`);
  const found = new Map(rows.map(([user, id, value]) => [`${user} ${id}`, Number(value)]));
  const wrong = [...expected].filter(([key, value]) => found.get(key) !== value);
  if (rows.length !== expected.size || wrong.length > 0)
    throw new Error(
      `${rows.length} rows, expected ${expected.size}; ${wrong.length} wrong, such as ${wrong[0]} (found ${found.get(wrong[0]?.[0])})`,
    );
  const { received, ...outcomes } = datasets.health;
  const sum = Object.values(outcomes).reduce((all, count) => all + count, 0);
  if (received !== sum) throw new Error(`${received} received, ${sum} by outcome: ${JSON.stringify(outcomes)}`);
  command("verify", "health", "--json");
}

function command(...args) {
  try {
    execFileSync(process.execPath, [firn, ...args, "--data-dir", lake.dir], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`firn ${args.join(" ")}: exit code ${error.status}: ${error.stdout}${error.stderr}`, {
      cause: error,
    });
  }
}
