/** A broker with a user for each service (deploy/nats/users.conf): the whole works with it, and no user may do more. */
import { connectStreams } from "@firn/stream";
import { startService, type RunningService, type ServiceDefinition } from "@firn/service";
import { startNatsServer, tempFolder, waitFor, type NatsServer, type TempFolder } from "@firn/testing";
import { connect } from "@nats-io/transport-node";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aggregatorService } from "../apps/aggregator/src/aggregator-service.ts";
import { catalogService } from "../apps/catalog/src/catalog-service.ts";
import { writerService } from "../apps/catalog-writer/src/writer-service.ts";
import { ingestService } from "../apps/ingest/src/ingest-service.ts";
import { queryService } from "../apps/query/src/query-service.ts";
import { validatorService } from "../apps/validator/src/validator-service.ts";

const usersFile = join(import.meta.dirname, "..", "deploy", "nats", "users.conf");
const users = [...readFileSync(usersFile, "utf8").matchAll(/user: "([a-z-]+)"/g)].map(([, name]) => name!);
const passwordOf = (user: string): string => `p${user.replaceAll("-", "")}Secret`;

let folder: TempFolder;
let broker: NatsServer;
const running: RunningService[] = [];

const addressOf = (user: string): string => broker.url.replace("//", `//${user}:${passwordOf(user)}@`);

beforeAll(async () => {
  folder = await tempFolder("nats-users");
  const env = Object.fromEntries(
    users.map((user) => [`NATS_PASSWORD_${user.toUpperCase().replaceAll("-", "_")}`, passwordOf(user)]),
  );
  broker = await startNatsServer({ dir: join(folder.path, "nats"), include: { file: usersFile, env } });
});

afterAll(async () => {
  for (const service of running.splice(0).reverse()) await service.close();
  await broker?.stop();
  await folder?.remove();
}, 120_000);

async function start<S>(definition: ServiceDefinition<S>, env: Readonly<Record<string, string>> = {}) {
  const service = await startService(definition, {
    FIRN_PORT: "0",
    FIRN_LOG_LEVEL: "silent",
    FIRN_SHARDS: "2",
    FIRN_DATA_DIR: join(folder.path, definition.name),
    ICEBERG_WAREHOUSE: join(folder.path, "warehouse"),
    NATS_URL: addressOf(definition.name),
    ...env,
  });
  running.push(service);
  return service;
}

async function request(user: string, subject: string): Promise<string> {
  const nc = await connect({
    servers: broker.url,
    user,
    pass: passwordOf(user),
    inboxPrefix: user === "reader" ? "_INBOX" : `_FIRN.${user}`,
  });
  try {
    const answer = await nc.request(subject, new Uint8Array(), { timeout: 20_000 });
    return answer.string();
  } catch (error) {
    return String((error as Error).message);
  } finally {
    await nc.close();
  }
}

test("what the file says is what is written by its script", () => {
  execFileSync(process.execPath, [join(usersFile, "..", "make-users.mjs"), "--check"]);
  expect(users).toEqual(
    expect.arrayContaining([
      "ingest",
      "validator",
      "catalog-writer",
      "aggregator",
      "catalog",
      "query",
      "market",
      "firn",
    ]),
  );
});

test("a lake whose services have a user each takes a sample in, aggregates it and answers", async () => {
  const catalog = await start(catalogService);
  const lake = { ICEBERG_CATALOG_URI: catalog.url };
  const ingest = await start(ingestService);
  await start(validatorService);
  await start(writerService, lake);
  await start(aggregatorService, lake);
  const query = await start(queryService, lake);
  await waitFor(async () => (await ingest.health.report()).ready, { limitMs: 60_000, what: "ingest to be ready" });
  const sample = {
    ...{ id: "s1", type: "heartRate", value: 61, unit: "count/min" },
    ...{ startDate: "2026-01-05T10:00:00Z", endDate: "2026-01-05T10:00:05Z" },
  };
  const bad = { ...sample, id: "s2", value: -1 };
  const sent = await fetch(`${ingest.url}/v1/ingest/health`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ deviceId: "d", userId: "anna", samples: [sample, bad, sample] }),
  });
  expect(sent.status).toBe(202);
  const status = async () => (await (await fetch(`${query.url}/api/pipeline?wait_ms=2000`)).json()) as object;
  await waitFor(async () => ((await status()) as { settled: boolean }).settled, {
    limitMs: 90_000,
    what: "all settled",
  });
  expect(await status()).toMatchObject({
    settled: true,
    parked: [],
    datasets: { health: { received: 3, stored: 1, duplicates: 1, rejected: 1 } },
  });
  const daily = await (await fetch(`${query.url}/api/health/daily?user_id=anna&data_type=heartRate`)).text();
  expect(daily).toContain('"heartRate"');
  expect(await request("reader", "query.health.types")).toContain("user_id");
  const firn = await connectStreams({ url: addressOf("firn"), name: "firn" });
  const asked = await firn.request(
    "catalog-writer.maintain",
    Buffer.from(JSON.stringify({ dataset: "health", run: false })),
    { timeoutMs: 20_000 },
  );
  expect(Buffer.from(asked).toString()).toContain("health_data_raw");
  await firn.close();
  const refused = (await broker.log()).split("\n").filter((line) => /Violation/.test(line));
  expect(refused.slice(0, 5)).toEqual([]);
}, 300_000);

/** What each user must not do, though another one does it. */
const DENIED: Readonly<Record<string, readonly string[]>> = {
  ingest: ["accepted.health.0", "$JS.API.STREAM.PURGE.VALIDATED", "$JS.API.STREAM.DELETE.INTAKE", "lake.committed.a.b"],
  validator: ["intake.health.0", "rollup.health.0", "$JS.API.STREAM.PURGE.VALIDATED"],
  "catalog-writer": ["accepted.health.0", "intake.health.0", "rollup.health.0", "$JS.API.STREAM.PURGE.INTAKE"],
  aggregator: ["accepted.health.0", "$JS.API.STREAM.PURGE.ROLLUP", "$KV.firn.parked.validator.health.0"],
  catalog: ["accepted.health.0", "$JS.API.STREAM.INFO.INTAKE"],
  query: ["intake.health.0", "$JS.API.STREAM.PURGE.INTAKE", "$KV.firn.resume.validator.health.0"],
  market: ["intake.market.0", "$JS.API.STREAM.INFO.INTAKE"],
  firn: ["intake.health.0", "accepted.health.0", "$JS.API.STREAM.DELETE.INTAKE", "$JS.API.STREAM.PURGE.VALIDATED"],
  backup: [
    "intake.health.0",
    "$JS.API.STREAM.DELETE.INTAKE",
    "$JS.API.STREAM.PURGE.INTAKE",
    "$JS.API.DIRECT.GET.INTAKE",
  ],
  reader: ["intake.health.0", "$JS.API.STREAM.INFO.INTAKE", "aggregator.rebuild"],
};

test.each(Object.entries(DENIED))("%s may do no more than it needs", async (user, subjects) => {
  for (const subject of subjects)
    expect(await request(user, subject), `${user} on ${subject}`).toMatch(/permissions violation/i);
});

test("nobody hears the answers to others, and nobody comes in without a password", async () => {
  expect(users.filter((user) => DENIED[user] === undefined)).toEqual([]);
  const nc = await connect({ servers: broker.url, user: "reader", pass: passwordOf("reader") });
  const heard = nc.subscribe("_FIRN.query.>");
  await expect(
    (async () => {
      for await (const _ of heard) break;
    })(),
  ).rejects.toThrow(/permissions violation/i);
  await nc.close();
  await expect(connect({ servers: broker.url, reconnect: false })).rejects.toThrow(/authorization/i);
});
