/** Copies of streams: what comes back is what was there, with its sequences and its identity. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startNatsServer, tempFolder, type NatsServer, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectStreams } from "../src/connect-streams.ts";
import { intakeLog, rollupLog, STATE_BUCKET, validatedLog } from "../src/pipeline-logs.ts";
import { backupStreams, restoreStreams } from "../src/stream-archive.ts";
import { MEMBERS_BUCKET } from "../src/unit-share.ts";

const limitMs = 60_000;
let folder: TempFolder;
let first: NatsServer;
let second: NatsServer;

beforeAll(async () => {
  folder = await tempFolder("archive");
  first = await startNatsServer({ dir: join(folder.path, "first") });
  second = await startNatsServer({ dir: join(folder.path, "second") });
}, limitMs);
afterAll(async () => {
  await first?.stop();
  await second?.stop();
  await folder?.remove();
});

const connect = (server: NatsServer) => ({ url: server.url, name: "backup" });
const bytesOf = (n: number) => Buffer.alloc(100_000, `${n} `);

/** What a lake has in its broker, some of INTAKE trimmed. */
async function fill(server: NatsServer) {
  const nats = await connectStreams(connect(server));
  const intake = await nats.openLog(intakeLog({ shards: 2, replicas: 1 }));
  await nats.openLog(validatedLog({ replicas: 1 }));
  await nats.openLog(rollupLog({ replicas: 1 }));
  for (let n = 1; n <= 12; n++) await intake.append([{ subject: "intake.health.0", data: bytesOf(n) }]);
  await intake.trim("intake.health.0", 5);
  await (await nats.attempts(STATE_BUCKET)).put("parked/here", { reason: "a test" });
  await (await nats.members(MEMBERS_BUCKET)).put("validator", "one", {});
  await nats.close();
}

/** Sequences and sizes of what INTAKE holds, its identity, and a value of the bucket. */
async function contentOf(server: NatsServer) {
  const nats = await connectStreams(connect(server));
  try {
    const intake = await nats.openLog(intakeLog({ shards: 2, replicas: 1 }));
    const records: string[] = [];
    const ending = new AbortController();
    const from = { subjects: ["intake.health.0"], afterSequence: 0, signal: ending.signal };
    for await (const { sequence, data } of intake.read(from)) {
      records.push(`${sequence}: ${Buffer.from(data).toString("utf8", 0, 3)}, ${data.length}`);
      if (sequence === 12) break;
    }
    ending.abort();
    const parked = await (await nats.attempts(STATE_BUCKET)).get("parked/here");
    return { identity: await intake.identity(), records, parked };
  } finally {
    await nats.close();
  }
}

it(
  "streams come back with their sequences, what was trimmed, their identity and the bucket",
  async () => {
    await fill(first);
    const before = await contentOf(first);
    expect(before.records).toHaveLength(7);
    const copy = join(folder.path, "copy");
    const saved = await backupStreams(connect(first), copy);
    expect(saved.map(({ name }) => name)).toEqual(["ROLLUP", "VALIDATED", "INTAKE", "KV_firn"]);
    expect(readdirSync(copy).sort()).toEqual(["INTAKE", "KV_firn", "ROLLUP", "VALIDATED"]);
    const restored = await restoreStreams(connect(second), copy);
    expect(restored).toEqual(expect.arrayContaining([...saved]));
    expect(await contentOf(second)).toEqual(before);

    await expect(backupStreams(connect(first), copy)).rejects.toThrow(/has a copy of .*INTAKE/);
    await expect(restoreStreams(connect(second), copy)).rejects.toThrow(/has .*INTAKE.* already/);
    const nowhere = join(folder.path, "nowhere");
    await expect(restoreStreams(connect(second), nowhere)).rejects.toThrow(/nowhere has no copy of a stream/);
  },
  limitMs,
);

it(
  "a copy that is damaged or cut short makes no stream",
  async () => {
    const copy = join(folder.path, "damaged");
    await backupStreams(connect(first), copy);
    for (const name of ["KV_firn", "ROLLUP", "VALIDATED"]) rmSync(join(copy, name), { recursive: true });
    const file = join(copy, "INTAKE", "stream.tar.s2");
    const bytes = readFileSync(file);
    const empty = await startNatsServer({ dir: join(folder.path, "empty") });
    try {
      writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
      await expect(restoreStreams(connect(empty), copy)).rejects.toThrow(/INTAKE|refused/);
      writeFileSync(file, bytes);
      expect(await restoreStreams(connect(empty), copy)).toMatchObject([{ name: "INTAKE", messages: 7 }]);
    } finally {
      await empty.stop();
    }
  },
  limitMs,
);
