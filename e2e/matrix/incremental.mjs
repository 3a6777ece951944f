// What Spark's incremental reads see of raw on a running lake: the rows of append snapshots, and nothing of corrections,
// deletions and merges.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { settled } from "../../bench/load/lake.mjs";
import { ask } from "../interop/ask.mjs";

const firn = join(import.meta.dirname, "..", "..", "firn.mjs");
const raw = "lake.health_db.health_data_raw";
const user = "incremental";
const dayMs = Date.UTC(2026, 4, 5);
const linesSamplesMax = 1_000;

/**
 * @param lake of startLake, with nothing of this user in it
 * @param spark of startSpark, on its catalog
 * @param check called with (what, whether it is so, detail)
 */
export async function incrementalReads(lake, spark, check) {
  const first = range(0, 300);
  const second = range(300, 2_900);
  const third = range(2_900, 2_920);
  const fourth = range(3_000, 3_100);
  const corrected = [...range(0, 10), ...range(310, 340)];
  const deleted = [...range(20, 25), ...range(400, 410)];

  const s1 = await send(lake, { samples: first.map(sample) });
  const s2 = await send(lake, { samples: second.map(sample) });
  const changes = [...corrected.map((id) => sampleOf(id, 49.5)), ...third.map(sample), ...range(40, 70).map(sample)];
  const s3 = await send(lake, { samples: changes, deleted: deleted.map(idOf) });
  maintain(lake);
  const s4 = await currentSnapshot(lake);
  const s5 = await send(lake, { samples: fourth.map(sample) });

  const same = (name, found, expected) =>
    check(
      name,
      JSON.stringify(found) === JSON.stringify(rowsOf(expected)),
      `${found.length} rows of ${expected.length}`,
    );
  same("appends: exactly the new rows", await appended(spark, s1, s2), second);
  same("corrections and deletions beside new rows: the new rows alone", await appended(spark, s2, s3), third);
  check("the merge made a snapshot", s3 !== s4, s4);
  same("a merge: no row", await appended(spark, s3, s4), []);
  same("all of it: each new row once", await appended(spark, s1, s5), [...second, ...third, ...fourth]);
  const [[rows]] = await spark.sql(`SELECT count(*) FROM ${raw} WHERE user_id = '${user}'`);
  const left = first.length + second.length + third.length + fourth.length - deleted.length;
  check("the table itself has the rows that are left", Number(rows) === left, `${rows} of ${left}`);
  await changelogs(spark, { s1, s2, s3, added: second.length }, check);
}

/** Spark's changelog has removed rows too, as long as they went by rewritten files. */
async function changelogs(spark, { s1, s2, s3, added }, check) {
  const inserts = JSON.stringify(await changes(spark, s1, s2));
  check("the changelog of appends: as many inserts", inserts === JSON.stringify([["INSERT", String(added)]]), inserts);
  const failure = await changes(spark, s2, s3).then(JSON.stringify, (error) => error.message);
  check("the changelog refuses delete files", /Delete files are currently not supported/.test(failure), failure);
}

/** Kinds of changes and how many. Without the identity Spark sorts by all columns, and raw has a map. */
async function changes(spark, from, to) {
  const options = `map('start-snapshot-id', '${from}', 'end-snapshot-id', '${to}')`;
  await spark.sql(
    `CALL lake.system.create_changelog_view(table => 'health_db.health_data_raw', changelog_view => 'changes',
       options => ${options}, identifier_columns => array('user_id', 'sample_id'), compute_updates => true)`,
  );
  return spark.sql("SELECT _change_type, count(*) FROM changes GROUP BY 1");
}

/** Sample ids and values that are new after `from`, up to `to`. */
function appended(spark, from, to) {
  const options = `\`start-snapshot-id\` = '${from}', \`end-snapshot-id\` = '${to}'`;
  return spark.sql(`SELECT sample_id, value FROM ${raw} WITH (${options}) ORDER BY sample_id`);
}

const rowsOf = (numbers) =>
  numbers.map((number) => [idOf(number), sample(number).value]).sort((one, other) => (one[0] < other[0] ? -1 : 1));

const idOf = (number) => `i-${String(number).padStart(5, "0")}`;

const sample = (number) => sampleOf(number, 50 + (number % 100));

function sampleOf(number, value) {
  const at = new Date(dayMs + number * 20_000).toISOString();
  return { id: idOf(number), type: "heartRate", value, unit: "count/min", startDate: at, endDate: at };
}

function range(from, to) {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Sends, waits until raw has it, and tells raw's snapshot then. */
async function send(lake, { samples, deleted = [] }) {
  const lines = [];
  for (let start = 0; start < samples.length; start += linesSamplesMax)
    lines.push({ samples: samples.slice(start, start + linesSamplesMax), deleted: start === 0 ? deleted : [] });
  const body = lines.map((line) => JSON.stringify({ deviceId: "interop", userId: user, ...line })).join("\n");
  const headers = { "content-type": "application/x-ndjson" };
  const answer = await ask(`${lake.endpoints.ingest}/v1/ingest/health`, { method: "POST", headers, body });
  if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
  await settled(lake.endpoints);
  return currentSnapshot(lake);
}

function maintain(lake) {
  const run = spawnSync(process.execPath, [firn, "maintain", "health", "--run", "--data-dir", lake.dir], {
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(`firn maintain ended with ${run.status}: ${run.stderr}`);
}

async function currentSnapshot(lake) {
  const answer = await ask(`${lake.endpoints.catalog}/v1/namespaces/health_db/tables/health_data_raw`);
  return /"current-snapshot-id"\s*:\s*(\d+)/.exec(await answer.text())[1];
}
