import { datasets } from "@firn/datasets";
import { startService, type RunningService } from "@firn/service";
import { connectStreams } from "@firn/stream";
import { startNatsServer, tempFolder, waitFor } from "@firn/testing";
import { afterEach, expect, test } from "vitest";

import { validatorService } from "../src/validator-service.ts";
import { openWorld, outputOf, payload, send, type World } from "./stage-fixture.ts";

const SHARDS = 2;
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startBroker(): Promise<string> {
  const folder = await tempFolder();
  cleanUps.push(() => folder.remove());
  const broker = await startNatsServer({ dir: folder.path });
  cleanUps.push(() => broker.kill());
  return broker.url;
}

async function startValidator(natsUrl: string): Promise<RunningService> {
  const environment = { NATS_URL: natsUrl, FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent", FIRN_SHARDS: String(SHARDS) };
  const service = await startService(validatorService, environment);
  cleanUps.push(() => service.close());
  const ready = async () => (await service.health.report()).ready;
  await waitFor(ready, { limitMs: 15_000, what: "validator ready" });
  return service;
}

async function connectWorld(natsUrl: string): Promise<World> {
  const connection = await connectStreams({ url: natsUrl, name: "test" });
  cleanUps.push(() => connection.close());
  return openWorld(connection, SHARDS);
}

async function untilRecords(world: World, count: number): Promise<void> {
  const done = async () => ((await outputOf(world)).records.at(-1) ?? 0) >= count;
  await waitFor(done, { limitMs: 15_000, what: `${count} records validated` });
}

test("a validator goes on where the one before it ended, counts, and says how far behind it is", async () => {
  const natsUrl = await startBroker();
  const first = await startValidator(natsUrl);
  const world = await connectWorld(natsUrl);
  await send(world, payload(["a", "bad-1"]));
  await untilRecords(world, 2);
  const metrics = await (await fetch(`${first.url}/metrics`)).text();
  expect(metrics).toMatch(/firn_validator_received_total\{dataset="health"\} 2/);
  expect(metrics).toMatch(/firn_validator_rejected_total\{dataset="health",error_type="validation_error"\} 1/);
  expect(metrics).toMatch(/firn_validator_lag_messages\{dataset="health",shard="0"\} 0/);
  await first.close();

  await send(world, payload(["b"]), payload(["c"]));
  await startValidator(natsUrl);
  await send(world, payload(["d"]));
  await untilRecords(world, 5);
  const output = await outputOf(world);
  expect(output.accepted).toEqual(["a", "b", "c", "d"]);
  expect(output.rejected).toHaveLength(1);
  expect(output.records.at(-1)).toBe(5);
});

test("two validators share the shards; when one ends the other has them all, and is ready without any", async () => {
  const natsUrl = await startBroker();
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => startValidator(natsUrl)));
  const held = async (service: RunningService | undefined) => {
    const metrics = await (await fetch(`${service!.url}/metrics`)).text();
    return Number(/firn_share_units (\d+)/.exec(metrics)?.[1] ?? 0);
  };
  const shares = (...counts: number[]) =>
    waitFor(
      async () => {
        const found = await Promise.all([first, second, third].slice(0, counts.length).map(held));
        return found.sort((a, b) => a - b).join() === counts.join();
      },
      { limitMs: 30_000, what: `shares of ${counts.join()}` },
    );
  const units = datasets.size * SHARDS;
  const total = async () => (await Promise.all([held(first), held(second), held(third)])).reduce((a, b) => a + b);
  await waitFor(async () => (await total()) === units, { limitMs: 30_000, what: "every shard has a validator" });
  expect((await third!.health.report()).ready).toBe(true);
  const world = await connectWorld(natsUrl);
  await send(world, payload(["a"]));
  await untilRecords(world, 1);
  await third!.close();
  await second!.close();
  await shares(units);
  await send(world, payload(["b"]));
  await untilRecords(world, 2);
  expect((await outputOf(world)).accepted).toEqual(["a", "b"]);
});

test("a validator with another number of shards than the lake refuses to work", async () => {
  const natsUrl = await startBroker();
  const first = await startValidator(natsUrl);
  await first.close();
  const environment = { NATS_URL: natsUrl, FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent", FIRN_SHARDS: "3" };
  const second = await startService(validatorService, environment);
  cleanUps.push(() => second.close());
  await expect(second.ended).rejects.toThrow(/firn\.shards/);
});
