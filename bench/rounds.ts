/**
 * What the aggregates cost: CPU microseconds a sample of computing rounds and of writing them into the tables, for a
 * backfill and for a live load on top of it.
 *
 *   node tools/run-ts.mjs bench/rounds.ts [--samples 500000] [--backfill-rounds 2] [--live-rounds 8] [--live-rows 7500]
 *
 * The aggregator's and the writer's own stages in process, over in-memory streams and catalog and local files. Raw is
 * filled by plain appends, which are not measured: 5,000 users, 12 types, 60 days.
 */
import { type Dataset, type RollupLane, rollupLanes } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import { Parking, silentLogger } from "@firn/service";
import { MemoryLogs, rollupLog, STATE_BUCKET } from "@firn/stream";
import { type LocalLake, openLocalLake } from "@firn/testing";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LaneStage } from "../apps/aggregator/src/lane-stage.ts";
import { CommitQueue } from "../apps/catalog-writer/src/commit-queue.ts";
import { KnownTables } from "../apps/catalog-writer/src/known-tables.ts";
import { RollupStage } from "../apps/catalog-writer/src/rollup-stage.ts";
import { type Cost, costOf } from "./load/cost.ts";

const { values: options } = parseArgs({
  options: {
    samples: { type: "string", default: "500000" },
    "backfill-rounds": { type: "string", default: "2" },
    "live-rounds": { type: "string", default: "8" },
    "live-rows": { type: "string", default: "7500" },
  },
});
const samples = Number(options.samples);
const backfillRounds = Number(options["backfill-rounds"]);
const users = 5_000;
const types = 12;
const days = 60;
const dataset: Dataset = createHealthDataset();

/** Rows of raw `from` … `from + count`, of the days before `end`; a user's zone is his own. */
function rowsSql(from: number, count: number, spanDays: number, end: string): string {
  const pick = (salt: number, of: number) => `(hash(n * 31 + ${salt}) % ${of})`;
  const start = `TIMESTAMPTZ '${end}' - to_microseconds((${pick(3, spanDays * 86_400)} * 1000000)::BIGINT)`;
  return `SELECT 'phone-u' || lpad(u::VARCHAR, 5, '0') AS device_id, 'u' || lpad(u::VARCHAR, 5, '0') AS user_id,
      format('5b1f0c9e-0c3f-4001-a9b7-{:012d}', n) AS sample_id, 'type' || t AS data_type, v AS value, 'count' AS unit,
      s AS start_date, s + INTERVAL 1 MINUTE AS end_date, 'com.apple.health' AS source_bundle,
      MAP {'HKTimeZone': z, 'HKWasUserEntered': '0'} AS metadata, true AS is_synced, s AS created_at,
      s AS payload_timestamp, '3.2.1' AS app_version, s AS processing_time, z AS timezone, 60 AS timezone_offset,
      (timezone(z, s))::DATE AS local_date
    FROM (SELECT n, u, ['Europe/Berlin', 'America/New_York', 'Asia/Seoul', 'Asia/Kolkata'][(1 + u % 4)::BIGINT] AS z, t, s, v
      FROM (SELECT n, ${pick(1, users)} AS u, ${pick(2, types)} AS t, ${start} AS s, ${pick(4, 9_000)} / 7 AS v
        FROM range(${from}, ${from + count}) AS r(n)))`;
}

const anonymousMiB = () =>
  Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) / 1024;

async function main(lake: LocalLake): Promise<void> {
  const { env, kernel, folder } = lake;
  const logs = new MemoryLogs();
  const rollups = await logs.openLog(rollupLog({ replicas: 1 }));
  const state = await logs.attempts(STATE_BUCKET);
  const known = new KnownTables(env, state);
  await known.makeFirst(dataset);
  const queues = new Map(dataset.rollups.map(({ table }) => [table.name, new CommitQueue()]));
  const logger = silentLogger();
  let said: (() => void) | undefined;
  let report = "";
  const connect = async (lane: RollupLane) => {
    const aggregator = new LaneStage({
      env,
      connection: await kernel.connect(),
      dataset,
      lane,
      log: rollups,
      streams: logs,
      defaultZone: "UTC",
      folder: join(folder, "aggregator"),
      logger,
      lookAgainMs: 50,
      periodsIntervalMs: 0,
      backlog: () => Promise.resolve(0),
      rounded: (round) => {
        report = `${round.windows} windows, ${round.rows} rows`;
        said?.();
      },
    });
    const writer = new RollupStage({
      env,
      connection: await kernel.connect(),
      dataset,
      lane,
      log: rollups,
      known,
      queueOf: (table) => queues.get(table) ?? new CommitQueue(),
      parking: new Parking("catalog-writer", state, logger),
      writerEpoch: "bench",
      logger,
      lookAgainMs: 50,
      hint: () => undefined,
      committed: (table) => {
        if (table.identifier.name === lane.rollups.at(-1)?.table.name) said?.();
      },
    });
    return { lane, aggregator, writer };
  };
  const lanes = await Promise.all(rollupLanes(dataset).map(connect));
  const untilSaid = async (stage: { run(signal: AbortSignal): Promise<void> }): Promise<void> => {
    const stop = new AbortController();
    said = () => stop.abort();
    await stage.run(stop.signal);
  };
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, anonymousMiB())), 50);
  const round = async (title: string, rows: number): Promise<void> => {
    let cpuMs = 0;
    for (const { aggregator, lane, writer } of lanes) {
      most = 0;
      const computed = await costOf(() => untilSaid(aggregator));
      const written = await costOf(() => untilSaid(writer));
      cpuMs += computed.cpuMs + written.cpuMs;
      const said = ({ cpuMs: ms, wallMs }: Cost) =>
        `${((ms * 1000) / rows).toFixed(2)} µs a sample (${ms.toFixed(0)} ms CPU, ${wallMs.toFixed(0)} wall)`;
      console.log(
        `${title}, lane ${lane.number}: compute ${said(computed)}, write ${said(written)}; ${report}; ${most.toFixed(0)} MiB anonymous at most`,
      );
    }
    console.log(`${title}: ${((cpuMs * 1000) / rows).toFixed(2)} µs a sample`);
  };
  const end = "2026-10-01 00:00:00+00";
  const part = Math.ceil(samples / backfillRounds);
  for (let n = 0; n < backfillRounds; n++) {
    for (let from = n * part; from < (n + 1) * part; from += 250_000)
      await lake.append(dataset.raw, rowsSql(from, Math.min(250_000, (n + 1) * part - from), days, end));
    await round(`backfill round ${n}`, part);
  }
  const liveRows = Number(options["live-rows"]);
  for (let n = 0; n < Number(options["live-rounds"]); n++) {
    await lake.append(dataset.raw, rowsSql(1e9 + n * liveRows, liveRows, 1, "2026-10-02 12:00:00+00"));
    await round(`live round ${n}`, liveRows);
  }
  clearInterval(watch);
  for (const { table } of dataset.rollups) {
    const { metadata } = await lake.load(table);
    const summary = metadata.snapshots.at(-1)?.summary;
    console.log(
      `${table.name}: ${summary?.["total-records"]} rows, ${summary?.["total-data-files"]} data and ${summary?.["total-delete-files"]} delete files`,
    );
  }
}

const lake = await openLocalLake("rounds", { memoryLimitMb: 224 });
try {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${samples} samples`);
  await main(lake);
} finally {
  await lake.close();
}
