import {
  acceptedSubject,
  encodeColumnBatch,
  parkedKey,
  rejectedSubject,
  stateVersionProperty,
  tablesOf,
} from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import {
  definedIdentifier,
  type LakeEnvironment,
  lakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
} from "@firn/lake";
import { type RunningService, startService } from "@firn/service";
import { intakeLog, MemoryLogs, validatedLog } from "@firn/stream";
import { tempFolder, waitFor } from "@firn/testing";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeTable } from "../src/tables.ts";
import { createWriterMetrics } from "../src/writer-metrics.ts";
import { writerService } from "../src/writer-service.ts";
import { createWriter } from "../src/writer.ts";

const health = createHealthDataset();
const cleanUps: (() => Promise<unknown>)[] = [];
let folder: string;
let env: LakeEnvironment;
let logs: MemoryLogs;
let running: RunningService | undefined;

beforeEach(async () => {
  const temporary = await tempFolder("writer");
  cleanUps.push(() => temporary.remove());
  folder = temporary.path;
  const store = await openFileStore({ root: `${folder}/warehouse` });
  env = lakeEnvironment({ catalog: new MemoryCatalog({ warehouse: store.root }), store });
  logs = new MemoryLogs();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(datasets = [health]): Promise<RunningService> {
  const environment = {
    NATS_URL: "nats://unused",
    ICEBERG_CATALOG_URI: "http://unused",
    FIRN_PORT: "0",
    FIRN_SHARDS: "2",
    FIRN_DATA_DIR: folder,
  };
  const setup: typeof writerService.setup = async (context) => {
    const writer = createWriter({
      context,
      datasets,
      metrics: createWriterMetrics(context.metrics),
      connectStreams: () => Promise.resolve(logs),
      openLake: () => Promise.resolve(env),
    });
    context.health.addCheck("writer", () => writer.whyNotReady());
    return { stages: [writer] };
  };
  const logTo = new Writable({ write: (_, __, done) => done() });
  const service = await startService({ ...writerService, setup }, environment, { logTo });
  cleanUps.push(() => service.close());
  running = service;
  return service;
}

const untilReady = (service: RunningService) =>
  waitFor(async () => (await service.health.report()).ready, { limitMs: 10_000, what: "the writer to be ready" });

test("refuses to work with another number of shards than the lake has", async () => {
  await logs.openLog(intakeLog({ shards: 4, replicas: 1 }));
  const service = await start();
  await expect(service.ended).rejects.toThrow(/firn\.shards/);
  expect(await env.catalog.namespaceExists(["health_db"])).toBe(false);
});

test("keeps the number of shards for good when it comes first", async () => {
  await untilReady(await start());
  await expect(logs.openLog(intakeLog({ shards: 4, replicas: 1 }))).rejects.toThrow(/firn\.shards/);
});

test("takes a dataset without rollups", async () => {
  await untilReady(await start([{ ...health, rollups: [] }]));
  expect(await env.catalog.tableExists(definedIdentifier(health.raw))).toBe(true);
  expect((await env.catalog.listTables(["health_db"])).length).toBe(2);
});

const untilParked = (service: RunningService, reason: RegExp) =>
  waitFor(async () => reason.test(JSON.stringify(await service.health.report())), {
    limitMs: 30_000,
    what: `parked: ${reason.source}`,
  });

test("stands still before a message of a newer release, when what came before it is in the table", async () => {
  await untilReady(await start());
  const validated = await logs.openLog(validatedLog({ replicas: 1 }));
  const subject = acceptedSubject("health", 0);
  const headers = { "Firn-Records": "1" };
  await validated.append([
    { subject, data: encodeColumnBatch("health", { rows: 0, columns: {} }), headers },
    { subject, data: Buffer.from('{"v":9,"dataset":"health","rows":0}'), headers },
    { subject: rejectedSubject("health", 0), data: Buffer.from('{"v":9,"dataset":"health","records":[]}') },
  ]);
  await untilParked(running!, /health\.accepted: a column batch of version 9: this release reads versions up to 2/);
  await untilParked(running!, /health\.rejected: a batch of dead letters of version 9/);
  expect(await (await logs.attempts("firn")).get(parkedKey("catalog-writer", "health.accepted"))).toMatchObject({
    fix: expect.stringContaining("upgrade this service") as string,
  });
  const raw = await loadTable(env, definedIdentifier(health.raw));
  expect(raw.metadata.properties[`firn.position.VALIDATED.${subject}`]).toBe("1");
});

test("stands still at a table whose state a newer release has written", async () => {
  for (const definition of tablesOf(health)) await makeTable(env, definition, "lake");
  await env.catalog.commitTable(definedIdentifier(health.raw), {
    requirements: [],
    updates: [{ action: "set-properties", updates: { [stateVersionProperty]: "2" } }],
  });
  await start();
  await untilParked(
    running!,
    /health\.accepted: table .*: the state in the table's properties \(firn\.\*\) of version 2/,
  );
});
