import { MemoryLogs, type Log } from "@firn/stream";
import { beforeEach, expect, test } from "vitest";
import { FaultyLog } from "../src/log-faults.ts";

const record = { subject: "a", data: new Uint8Array(1) };
let inner: Log;

beforeEach(async () => {
  inner = await new MemoryLogs().openLog({ stream: "S", subjects: ["a"] });
});

test("fails before without doing it, and after having done it", async () => {
  const log = new FaultyLog(inner, [
    { on: "append", when: "before" },
    { on: "append", when: "after" },
  ]);
  await expect(log.append([record])).rejects.toMatchObject({ kind: "unavailable" });
  expect((await inner.bounds()).lastSequence).toBe(0);
  await expect(log.append([record])).rejects.toMatchObject({ kind: "unknown_outcome" });
  expect((await inner.bounds()).lastSequence).toBe(1);
  expect(await log.append([record])).toEqual({ lastSequence: 2 });
  expect(log.faultsLeft).toBe(0);
  expect(log.calls.append).toBe(3);
});

test("lets calls pass first, counts each operation by itself, and throws what it is given", async () => {
  const error = new Error("mine");
  const log = new FaultyLog(inner, [{ on: "append", when: "before", afterCalls: 2, error }]);
  await log.append([record]);
  await log.bounds();
  await log.append([record]);
  await expect(log.append([record])).rejects.toBe(error);
  expect(await log.identity()).toBe(await inner.identity());
});

test("breaks a read before or after one of its records", async () => {
  await inner.append([record, record, record]);
  const options = { subjects: ["a"], afterSequence: 0, signal: new AbortController().signal };
  for (const [when, seen] of [
    ["before", 2],
    ["after", 3],
  ] as const) {
    const log = new FaultyLog(inner, [{ on: "read", when, afterCalls: 2 }]);
    const sequences: number[] = [];
    const reading = (async () => {
      for await (const { sequence } of log.read(options)) sequences.push(sequence);
    })();
    await expect(reading).rejects.toMatchObject({ kind: "unavailable" });
    expect(sequences.length).toBe(seen);
  }
});
