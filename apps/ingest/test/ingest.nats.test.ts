import { decodeIntakeFrame } from "@firn/core";
import { startService, type RunningService } from "@firn/service";
import { connectStreams } from "@firn/stream";
import { startNatsServer, tempFolder, waitFor, type NatsServer } from "@firn/testing";
import { afterEach, expect, test } from "vitest";
import { ingestService } from "../src/ingest-service.ts";
import { healthPayload } from "./ingest-fixture.ts";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startBroker(): Promise<NatsServer> {
  const folder = await tempFolder();
  cleanUps.push(() => folder.remove());
  const broker = await startNatsServer({ dir: folder.path });
  cleanUps.push(() => broker.kill());
  return broker;
}

async function startIngest(natsUrl: string, env: Record<string, string> = {}): Promise<RunningService> {
  const service = await startService(ingestService, {
    NATS_URL: natsUrl,
    FIRN_PORT: "0",
    FIRN_LOG_LEVEL: "silent",
    ...env,
  });
  cleanUps.push(() => service.close());
  return service;
}

const whenReady = (service: RunningService) =>
  waitFor(async () => (await service.health.report()).ready, { limitMs: 15_000, what: "ingest ready" });

async function post(service: RunningService, payloads: readonly unknown[]) {
  const response = await fetch(`${service.url}/v1/ingest/health`, {
    method: "POST",
    body: JSON.stringify(payloads),
    headers: { "content-type": "application/json" },
  });
  const body = (await response.json()) as { receipt?: string; code?: string };
  return { status: response.status, retryAfter: response.headers.get("retry-after"), ...body };
}

/** Users of all payloads in the intake stream, in stream order. */
async function storedUsers(natsUrl: string): Promise<string[]> {
  const connection = await connectStreams({ url: natsUrl, name: "test" });
  try {
    const log = await connection.openLog({ stream: "INTAKE", subjects: ["intake.>"] });
    const { lastSequence } = await log.bounds();
    const users: string[] = [];
    if (lastSequence === 0) return users;
    const { signal } = new AbortController();
    for await (const { data, sequence } of log.read({ subjects: ["intake.>"], afterSequence: 0, signal })) {
      for (const { bytes } of decodeIntakeFrame(data)) {
        users.push((JSON.parse(Buffer.from(bytes).toString()) as { userId: string }).userId);
      }
      if (sequence === lastSequence) break;
    }
    return users;
  } finally {
    await connection.close();
  }
}

test("accepted payloads are in the stream, whatever shares their append", async () => {
  const broker = await startBroker();
  const service = await startIngest(broker.url);
  await whenReady(service);
  const users = Array.from({ length: 200 }, (_, i) => `u${i}`);
  const answers = await Promise.all(
    users.map((user, i) => post(service, Array(1 + (i % 3)).fill(healthPayload(user, 2)))),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ receipt }) => receipt)).size).toBe(200);
  const expected = users.flatMap((user, i) => Array<string>(1 + (i % 3)).fill(user));
  expect((await storedUsers(broker.url)).sort()).toEqual(expected.sort());
});

test("a killed broker gives 503 at once; what was acknowledged is there when it comes back", async () => {
  const broker = await startBroker();
  const service = await startIngest(broker.url);
  await whenReady(service);
  const acknowledged: string[] = [];
  let sent = 0;
  let refused = 0;
  let ending = false;
  const sender = async () => {
    while (!ending) {
      const user = `u${sent++}`;
      const { status, retryAfter } = await post(service, [healthPayload(user)]);
      if (status === 202) acknowledged.push(user);
      else {
        expect([status, retryAfter]).toEqual([503, "1"]);
        refused++;
      }
    }
  };
  const senders = Array.from({ length: 4 }, sender);
  await waitFor(() => acknowledged.length > 50, { limitMs: 10_000 });
  await broker.kill();
  await waitFor(() => refused > 10, { limitMs: 10_000 });
  expect((await service.health.report()).ready).toBe(false);
  const before = acknowledged.length;
  await broker.restart();
  await waitFor(() => acknowledged.length > before + 50, { limitMs: 20_000 });
  ending = true;
  await Promise.all(senders);
  const stored = new Set(await storedUsers(broker.url));
  expect(acknowledged.filter((user) => !stored.has(user))).toEqual([]);
});

test("the service starts without its broker, says so, and takes up work when the broker comes", async () => {
  const broker = await startBroker();
  await broker.kill();
  const service = await startIngest(broker.url);
  expect(await post(service, [healthPayload()])).toMatchObject({ status: 503, code: "broker_unavailable" });
  expect((await service.health.report()).checks).toEqual([
    { name: "intake", ok: false, reason: "the intake stream is not open yet" },
  ]);
  await broker.restart();
  await whenReady(service);
  expect((await post(service, [healthPayload()])).status).toBe(202);
});

test("a full stream gives 503 and forgets nothing; space makes it accept again", async () => {
  const broker = await startBroker();
  const service = await startIngest(broker.url, { FIRN_INTAKE_BYTES: "1MiB", FIRN_SHARDS: "1" });
  await whenReady(service);
  const send = (i: number) => post(service, [healthPayload(`u${i}`, 500)]);
  let accepted = 0;
  let answer = await send(0);
  for (; answer.status === 202 && accepted < 100; answer = await send(accepted)) accepted++;
  expect(answer).toMatchObject({ status: 503, code: "intake_full", retryAfter: "5" });
  expect(await storedUsers(broker.url)).toEqual(Array.from({ length: accepted }, (_, i) => `u${i}`));
  const connection = await connectStreams({ url: broker.url, name: "test" });
  const log = await connection.openLog({ stream: "INTAKE", subjects: ["intake.>"] });
  await log.trim("intake.health.0", (await log.bounds()).lastSequence);
  await connection.close();
  expect((await send(accepted)).status).toBe(202);
});

test("a stream that was deleted is made again", async () => {
  const broker = await startBroker();
  const service = await startIngest(broker.url);
  await whenReady(service);
  const { jetstreamManager } = await import("@nats-io/jetstream");
  const { connect } = await import("@nats-io/transport-node");
  const raw = await connect({ servers: broker.url });
  await (await jetstreamManager(raw)).streams.delete("INTAKE");
  await raw.close();
  expect((await post(service, [healthPayload()])).status).toBe(503);
  await waitFor(async () => (await post(service, [healthPayload("later")])).status === 202, { limitMs: 10_000 });
  expect(await storedUsers(broker.url)).toEqual(["later"]);
});

test("a service with another number of shards ends with a reason", async () => {
  const broker = await startBroker();
  const first = await startIngest(broker.url, { FIRN_SHARDS: "4" });
  await whenReady(first);
  const second = await startIngest(broker.url, { FIRN_SHARDS: "8" });
  await expect(second.ended).rejects.toThrow(/firn\.shards/);
});
