import { FaultyLog } from "@firn/testing";
import { expect, test } from "vitest";
import { appendFenced, RUN_HEADER, type FencedAppend } from "./fenced-append.ts";
import type { Log } from "./log.ts";
import { MemoryLogs } from "./memory-logs.ts";
import { StreamError } from "./stream-error.ts";

const SUBJECT = "accepted.health.0";
const bytes = (text: string) => new TextEncoder().encode(text);
const backOff = { delayMinMs: 0, delayMaxMs: 1 };
const signal = new AbortController().signal;

async function openLog(bytesMax?: number): Promise<Log> {
  const spec = { stream: "VALIDATED", subjects: ["accepted.>", "rejected.>"] };
  return new MemoryLogs().openLog(bytesMax === undefined ? spec : { ...spec, bytesMax });
}

function run(runId: string, expectedLastSequence: number): FencedAppend {
  const records = [
    { subject: "rejected.health.0", data: bytes(`${runId} rejected`) },
    { subject: SUBJECT, data: bytes(`${runId} first`) },
    { subject: SUBJECT, data: bytes(`${runId} last`), headers: { "Firn-Input-Sequence": "9" } },
  ];
  return { records, subject: SUBJECT, expectedLastSequence, runId };
}

test("stores a run once, with its id on the fenced subject's last record", async () => {
  const log = await openLog();
  expect(await appendFenced(log, run("one", 0), { signal, backOff })).toEqual({ lastSequence: 3 });
  expect((await log.last(SUBJECT))?.headers).toEqual({ "Firn-Input-Sequence": "9", [RUN_HEADER]: "one" });
});

test("finds a run that was stored although the answer was lost", async () => {
  const log = new FaultyLog(await openLog(), [{ on: "append", when: "after" }]);
  const retries: string[] = [];
  const onRetry = (error: StreamError) => retries.push(error.kind);
  expect(await appendFenced(log, run("one", 0), { signal, backOff, onRetry })).toEqual({ lastSequence: 3 });
  expect(retries).toEqual(["unknown_outcome"]);
  expect(log.calls.append).toBe(1);
  expect((await log.bounds()).lastSequence).toBe(3);
});

test("counts the records that follow the fenced one", async () => {
  const log = new FaultyLog(await openLog(), [{ on: "append", when: "after" }]);
  const append = run("one", 0);
  const records = [...append.records, { subject: "rejected.health.0", data: bytes("more") }];
  expect(await appendFenced(log, { ...append, records }, { signal, backOff })).toEqual({ lastSequence: 4 });
});

test("sends a run again that was not stored, however often the answer is lost", async () => {
  const unknown = new StreamError("unknown_outcome", "timed out");
  const log = new FaultyLog(await openLog(), [
    { on: "append", when: "before", error: unknown },
    { on: "append", when: "before", error: unknown, afterCalls: 1 },
    { on: "last", when: "before" },
    { on: "append", when: "after", afterCalls: 2 },
  ]);
  expect(await appendFenced(log, run("one", 0), { signal, backOff })).toEqual({ lastSequence: 3 });
  expect(log.faultsLeft).toBe(0);
  expect((await log.bounds()).lastSequence).toBe(3);
});

test("is not fenced off by its own earlier try that was stored after the look", async () => {
  const inner = await openLog();
  let late: Promise<unknown> | undefined;
  // The first append times out and is stored only when the second one is on its way.
  const log = new Proxy(inner, {
    get(target, key) {
      if (key !== "append") return Reflect.get(target, key).bind?.(target) ?? Reflect.get(target, key);
      return async (records: Parameters<Log["append"]>[0]) => {
        if (late === undefined) {
          late = Promise.resolve();
          throw new StreamError("unknown_outcome", "timed out");
        }
        await target.append(records);
        return target.append(records);
      };
    },
  });
  expect(await appendFenced(log, run("one", 0), { signal, backOff })).toEqual({ lastSequence: 3 });
  expect((await inner.bounds()).lastSequence).toBe(3);
});

test("says so when another writer took over, before or after an unknown outcome", async () => {
  const log = await openLog();
  await appendFenced(log, run("other", 0), { signal, backOff });
  await expect(appendFenced(log, run("stale", 0), { signal, backOff })).rejects.toMatchObject({
    kind: "wrong_expectation",
  });
  const faulty = new FaultyLog(log, [
    { on: "append", when: "before", error: new StreamError("unknown_outcome", "timed out") },
  ]);
  await expect(appendFenced(faulty, run("stale", 0), { signal, backOff })).rejects.toMatchObject({
    kind: "wrong_expectation",
    context: { expected: 0, actual: 3 },
  });
  expect((await log.bounds()).lastSequence).toBe(3);
});

test("waits while the stream is full and goes on after a trim", async () => {
  const log = await openLog(400);
  await appendFenced(log, run("one", 0), { signal, backOff });
  const onRetry = (error: StreamError) => {
    expect(error.kind).toBe("full");
    void log.trim(SUBJECT, 2);
    void log.trim("rejected.health.0", 1);
  };
  const big = { records: [{ subject: SUBJECT, data: new Uint8Array(180) }], subject: SUBJECT };
  const append = { ...big, expectedLastSequence: 3, runId: "two" };
  expect(await appendFenced(log, append, { signal, backOff, onRetry })).toEqual({ lastSequence: 4 });
});

test("gives up at the signal with the last error, and at once with what waiting does not cure", async () => {
  const stop = new AbortController();
  const logs = new MemoryLogs();
  const log = await logs.openLog({ stream: "VALIDATED", subjects: ["accepted.>"] });
  logs.setConnected(false);
  let tries = 0;
  const onRetry = () => void (++tries === 3 && stop.abort());
  const append = { ...run("one", 0), records: run("one", 0).records.slice(1) };
  await expect(appendFenced(log, append, { signal: stop.signal, backOff, onRetry })).rejects.toMatchObject({
    kind: "unavailable",
  });
  logs.setConnected(true);
  await expect(appendFenced(log, run("one", 0), { signal, backOff })).rejects.toMatchObject({ kind: "invalid" });
});
