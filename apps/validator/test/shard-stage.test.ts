import { acceptedSubject, encodeIntakeFrame, intakeSubject, parkedKey, resumeKey, type Dataset } from "@firn/core";
import { MemoryLogs, StreamError } from "@firn/stream";
import { FaultyLog, waitFor as waitWithin } from "@firn/testing";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { PoisonWatch } from "../src/poison-watch.ts";
import type { ShardStageOptions } from "../src/shard-stage.ts";
import type { RunItem } from "../src/validate-input.ts";
import { health, newStage, openWorld, outputOf, payload, send, type World } from "./stage-fixture.ts";

const running: { stop: AbortController; ended: Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running) stop.abort();
  await Promise.allSettled(running.splice(0).map(({ ended }) => ended));
});

async function start(world: World, change: Partial<ShardStageOptions> = {}) {
  const made = await newStage(world, change);
  const stop = new AbortController();
  const ended = made.stage.run(stop.signal);
  running.push({ stop, ended });
  ended.catch(() => undefined);
  return { ...made, stop: () => (stop.abort(), ended), ended };
}

const waitFor = (done: () => Promise<boolean>, what: string) => waitWithin(done, { limitMs: 10_000, what });

const untilRecords = (world: World, count: number) =>
  waitFor(async () => ((await outputOf(world)).records.at(-1) ?? 0) >= count, `${count} records validated`);

describe("a shard's stage", () => {
  it("turns input into accepted rows, dead letters, and a position, in one append", async () => {
    const world = await openWorld();
    await send(world, payload(["a", "bad-1", "b"]), payload([], { deleted: ["a"] }));
    await start(world);
    await untilRecords(world, 4);
    const output = await outputOf(world);
    expect(output.accepted).toEqual(["a", "b", "-a"]);
    expect(output.rejected.map((letter) => [letter.sample_id, letter.kafka_topic, letter.kafka_offset])).toEqual([
      ["bad-1", "intake.health.0", 1],
    ]);
    expect(output.records).toEqual([4]);
    const last = await world.validated.last(acceptedSubject("health", 0));
    expect(last?.headers).toMatchObject({
      "Firn-Input-Sequence": "1",
      "Firn-Input-Identity": await world.intake.identity(),
      "Firn-Records": "4",
    });
  });

  it("appends an accepted message even when nothing was accepted", async () => {
    const world = await openWorld();
    await send(world, Buffer.from("no json"));
    await start(world);
    await untilRecords(world, 1);
    const { accepted, rejected, messages } = await outputOf(world);
    expect([accepted.length, rejected.map((letter) => letter.error_type), messages]).toEqual([
      0,
      ["deserialization_error"],
      2,
    ]);
  });

  it("makes an INTAKE message that is no frame one dead letter", async () => {
    const world = await openWorld();
    await world.intake.append([{ subject: "intake.health.0", data: Buffer.from([9, 255]) }]);
    await send(world, payload(["a"]));
    await start(world);
    await untilRecords(world, 2);
    const { accepted, rejected } = await outputOf(world);
    expect(accepted).toEqual(["a"]);
    expect(rejected[0]).toMatchObject({ error_type: "deserialization_error", raw_payload: "base64:Cf8=" });
  });

  it("leaves other shards and datasets alone", async () => {
    const world = await openWorld();
    await world.intake.append([{ subject: "intake.health.1", data: encodeIntakeFrame([]) }]);
    await world.intake.append([{ subject: "intake.other.0", data: encodeIntakeFrame([]) }]);
    await send(world, payload(["a"]));
    await start(world);
    await untilRecords(world, 1);
    expect((await outputOf(world)).records).toEqual([1]);
  });

  it("keeps every message under the limit", async () => {
    const world = await openWorld(new MemoryLogs({ recordBytesMax: 12 * 1024 }));
    const ids = Array.from({ length: 90 }, (_, i) => (i % 3 === 0 ? `bad-${i}` : `ok-${i}`));
    await send(world, payload(ids));
    await start(world);
    await untilRecords(world, 90);
    const { accepted, rejected, messages, records } = await outputOf(world);
    expect(accepted).toEqual(ids.filter((id) => id.startsWith("ok")));
    expect(rejected.map((letter) => letter.sample_id)).toEqual(ids.filter((id) => id.startsWith("bad")));
    expect(records).toEqual([90]);
    expect(messages).toBeGreaterThan(2);
  });

  it("validates everything once whatever fails and however often it starts again", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }),
        fc.array(
          fc.record({
            on: fc.constantFrom("append", "last", "read", "bounds", "identity", "trim" as const),
            when: fc.constantFrom("before", "after" as const),
            afterCalls: fc.nat(4),
          }),
          { maxLength: 4 },
        ),
        fc.boolean(),
        async (sizes, faults, twin) => {
          const world = await openWorld();
          const faulty = {
            intake: new FaultyLog(
              world.intake,
              faults.filter((fault) => fault.on !== "append" && fault.on !== "last"),
            ),
            validated: new FaultyLog(
              world.validated,
              faults.filter((fault) => fault.on === "append" || fault.on === "last"),
            ),
          };
          const stages = [await start(world, { ...faulty, runBytesMax: 500 })];
          if (twin) stages.push(await start(world, { runBytesMax: 900 }));
          let made = 0;
          const sent: string[] = [];
          for (const size of sizes) {
            const ids = Array.from({ length: size + 1 }, () => `s-${made++}`);
            sent.push(...ids);
            await send(world, payload(ids));
            if (size === 3) await stages.shift()?.stop();
            if (stages.length === 0) stages.push(await start(world));
          }
          await untilRecords(world, sent.length);
          await Promise.all(stages.map((stage) => stage.stop()));
          const output = await outputOf(world);
          expect(output.accepted).toEqual(sent);
          expect(output.records.at(-1)).toBe(sent.length);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("sees a failed append even when no further input comes", async () => {
    const world = await openWorld();
    const validated = new FaultyLog(world.validated, [
      { on: "append", when: "before", error: new StreamError("wrong_expectation", "someone else") },
    ]);
    await send(world, payload(["a"]));
    await start(world, { validated });
    await untilRecords(world, 1);
    expect((await outputOf(world)).accepted).toEqual(["a"]);
  });

  it("waits while the broker is away and while the stream is full", async () => {
    const logs = new MemoryLogs();
    const world = await openWorld(logs);
    const validated = new FaultyLog(world.validated, [
      { on: "append", when: "before", error: new StreamError("full", "no space") },
    ]);
    await start(world, { validated });
    await send(world, payload(["a"]));
    await untilRecords(world, 1);
    logs.setConnected(false);
    logs.setConnected(true);
    await send(world, payload(["b"]));
    await untilRecords(world, 2);
  });

  it("trims validated input, less what it keeps", async () => {
    const world = await openWorld();
    for (const id of ["a", "b", "c"]) await send(world, payload([id]));
    await start(world, { runBytesMax: 1, trim: { keepMs: -1000, keepBytes: 1e9 } });
    await waitFor(async () => (await world.intake.bounds()).firstSequence > 1, "input trimmed");
    await untilRecords(world, 3);
  });

  it("keeps input for as long as it is told to", async () => {
    const world = await openWorld();
    for (const id of ["a", "b", "c"]) await send(world, payload([id]));
    await start(world, { runBytesMax: 1 });
    await untilRecords(world, 3);
    expect((await world.intake.bounds()).firstSequence).toBe(1);
  });
});

describe("a stream made anew", () => {
  it("parks the shard until an operator accepts the loss, and then nothing is skipped", async () => {
    const logs = new MemoryLogs();
    const world = await openWorld(logs);
    await send(world, payload(["a"]));
    const first = await start(world);
    await untilRecords(world, 1);
    await first.stop();
    logs.deleteStream("INTAKE");
    const anew = await openWorld(logs);
    await send(anew, payload(["b"]));
    const second = await start(anew);
    await waitFor(async () => second.parking.whyNotReady() !== undefined, "parked");
    expect(second.parking.whyNotReady()).toMatch(/^health\.0: stream INTAKE was made anew/);
    const store = await logs.attempts("firn");
    expect(await store.get(parkedKey("validator", "health.0"))).toMatchObject({
      stage: "validator",
      shard: "health.0",
    });
    expect((await outputOf(anew)).accepted).toEqual(["a"]);
    await store.put(resumeKey("validator", "health.0"), { acceptLoss: true });
    await untilRecords(anew, 2);
    expect((await outputOf(anew)).accepted).toEqual(["a", "b"]);
    await waitFor(async () => (await store.get(resumeKey("validator", "health.0"))) === undefined, "order done");
    expect(await store.get(parkedKey("validator", "health.0"))).toBeUndefined();
    expect(second.parking.whyNotReady()).toBeUndefined();
  });

  it("parks a running stage too", async () => {
    const logs = new MemoryLogs();
    const world = await openWorld(logs);
    await send(world, payload(["a"]));
    const { parking } = await start(world);
    await untilRecords(world, 1);
    logs.deleteStream("INTAKE");
    await waitFor(async () => parking.whyNotReady() !== undefined, "parked");

    const anew = await openWorld(logs);
    await send(anew, payload(["b"]), payload(["c"]));
    await (await logs.attempts("firn")).put(resumeKey("validator", "health.0"), { acceptLoss: true });
    await untilRecords(anew, 3);
    expect((await outputOf(anew)).accepted).toEqual(["a", "b", "c"]);
  });

  it("takes an order only once: one that does not help leaves the shard parked", async () => {
    const logs = new MemoryLogs();
    const world = await openWorld(logs);
    await send(world, payload(["a"]));
    const { parking } = await start(world);
    await untilRecords(world, 1);
    logs.deleteStream("INTAKE");
    const anew = await openWorld(logs);
    await waitFor(async () => parking.whyNotReady() !== undefined, "parked");
    const store = await logs.attempts("firn");
    await store.put(resumeKey("validator", "health.0"), { from: 100 });
    await waitFor(async () => parking.whyNotReady()?.includes("position 99 is ahead") === true, "parked again");
    expect(await store.get(resumeKey("validator", "health.0"))).toBeUndefined();
    expect((await outputOf(anew)).records).toEqual([1, 1]);
  });
});

describe("a frame that a newer release has written", () => {
  const sendNewer = (world: World) =>
    world.intake.append([{ subject: intakeSubject("health", 0), data: Buffer.from([2, 0, 0, 0, 0]) }]);

  it("is no dead letter: the shard is parked, and goes on by order alone", async () => {
    const world = await openWorld();
    await send(world, payload(["a"]));
    const { parking } = await start(world);
    await untilRecords(world, 1);
    await sendNewer(world);
    await send(world, payload(["b"]));
    await waitFor(async () => parking.whyNotReady() !== undefined, "parked");
    expect(parking.whyNotReady()).toBe("health.0: an intake frame of version 2: this release reads versions up to 1");
    expect(await outputOf(world)).toMatchObject({ accepted: ["a"], rejected: [] });
    const store = await world.connection.attempts("firn");
    expect(await store.get(parkedKey("validator", "health.0"))).toMatchObject({
      fix: expect.stringContaining("upgrade this service") as string,
    });
    await store.put(resumeKey("validator", "health.0"), { from: 3 });
    await untilRecords(world, 2);
    expect((await outputOf(world)).accepted).toEqual(["a", "b"]);
    await waitFor(async () => parking.whyNotReady() === undefined, "going on");
  });
});

describe("poison", () => {
  /** The health dataset, but payloads that hold the word break validation itself. */
  function breaking(onPoison: () => void): Dataset {
    return {
      ...health,
      beginRun(options, processedAtUs) {
        const run = health.beginRun(options, processedAtUs);
        return {
          add(input) {
            if (Buffer.from(input.bytes).includes("poison")) onPoison();
            run.add(input);
          },
          finish: () => run.finish(),
        };
      },
    };
  }

  const throws = breaking(() => {
    throw new Error("boom");
  });

  it("that throws is a dead letter with its bytes, and the rest goes on", async () => {
    const world = await openWorld();
    await send(world, payload(["a"]), payload(["poison"]), payload(["b"]));
    await send(world, payload(["c"]));
    await start(world, { dataset: throws });
    await untilRecords(world, 4);
    const { accepted, rejected } = await outputOf(world);
    expect(accepted).toEqual(["a", "b", "c"]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatchObject({
      error_type: "processing_error",
      error_message: "validation failed: boom",
      raw_payload: Buffer.from(payload(["poison"])).toString(),
    });
  });

  it("that ends the process is found by its attempts, and the rest goes on", async () => {
    const world = await openWorld();
    await send(world, payload(["a"]));
    await send(world, payload(["b"]), payload(["poison"]), payload(["c"]));
    const store = await world.connection.attempts("firn");
    let deaths = 0;
    for (; deaths < 8; deaths++) {
      // A dead process writes nothing any more, neither to the log nor to the store.
      let dead = false;
      const dying = breaking(() => {
        dead = true;
        throw new Error("the process dies here");
      });
      const validated = new FaultyLog(world.validated);
      validated.append = (records) =>
        dead ? Promise.reject(new StreamError("unavailable", "dead")) : world.validated.append(records);
      const attempts = {
        ...store,
        put: async (key: string, value: unknown) => (dead ? undefined : store.put(key, value)),
      };
      const process = await start(world, { dataset: dying, validated, attempts });
      await waitFor(async () => dead || ((await outputOf(world)).records.at(-1) ?? 0) >= 4, "death or end");
      await process.stop().catch(() => undefined);
      if (!dead) break;
    }
    expect(deaths).toBe(5);
    const { accepted, rejected } = await outputOf(world);
    expect(accepted).toEqual(["a", "b", "c"]);
    expect(rejected[0]).toMatchObject({
      error_type: "processing_error",
      raw_payload: Buffer.from(payload(["poison"])).toString(),
    });
  });

  it("that was being tried when the process ended as it was told to is not taken for its death", async () => {
    const world = await openWorld();
    const store = await world.connection.attempts("firn");
    const item = { input: { sequence: 1 }, payload: 0 } as RunItem;
    for (let life = 0; life < 5; life++) {
      const watch = new PoisonWatch(store, "health", 0);
      await watch.start(0);
      await watch.trying(item);
      expect(watch.condemned(item)).toBeUndefined();
      await watch.ended();
    }
  });

  it("whose result is larger than an append may be is refused, message by message", async () => {
    const world = await openWorld();
    const validated = new FaultyLog(world.validated);
    const tooLarge = new StreamError("too_large", "too large");
    validated.append = (records) =>
      records.some((record) => Buffer.from(record.data).includes('"huge"')) && !record0IsLetter(records)
        ? Promise.reject(tooLarge)
        : world.validated.append(records);
    await send(world, payload(["a"]));
    await send(world, payload(["huge"]));
    await send(world, payload(["b"]));
    await start(world, { validated });
    await untilRecords(world, 3);
    const { accepted, rejected } = await outputOf(world);
    expect(accepted).toEqual(["a", "b"]);
    expect(rejected.map((letter) => letter.error_type)).toEqual(["processing_error"]);
  });

  const record0IsLetter = (records: readonly { subject: string }[]): boolean =>
    records[0]?.subject.startsWith("rejected") ?? false;
});
