import { expect, test } from "vitest";
import { bytesOf, follow, kindOf, take, textOf, type ContractScene } from "./broker.ts";
import { eventually } from "./eventually.ts";

export function streamContract(scene: () => ContractScene): void {
  test("opens what is there with its records, and keeps its identity", async () => {
    const { name, openLog } = scene();
    const log = await openLog({ metadata: { "firn.shards": "4" } });
    await log.append([{ subject: `${name}.a`, data: bytesOf("1") }]);
    const again = await openLog();
    expect(await again.identity()).toBe(await log.identity());
    expect(again.metadata).toEqual({ "firn.shards": "4" });
    expect((await again.bounds()).lastSequence).toBe(1);
  });

  test("refuses to open with other metadata than the stream was made with, and adds new keys", async () => {
    const { openLog } = scene();
    await openLog({ metadata: { "firn.shards": "4" } });
    expect(await kindOf(openLog({ metadata: { "firn.shards": "8" } }))).toBe("invalid");
    const log = await openLog({ metadata: { "firn.shards": "4", "firn.more": "1" } });
    expect(log.metadata).toEqual({ "firn.shards": "4", "firn.more": "1" });
  });

  test("takes over a new byte limit and new subjects, and loses none", async () => {
    const { name, streams } = scene();
    const stream = name.toUpperCase();
    await streams.openLog({ stream, subjects: [`${name}.a`, `${name}.b.*`], bytesMax: 1_000_000 });
    const log = await streams.openLog({ stream, subjects: [`${name}.b.>`], bytesMax: 2_000_000 });
    expect((await log.bounds()).bytesMax).toBe(2_000_000);
    const data = bytesOf("x");
    await log.append([
      { subject: `${name}.a`, data },
      { subject: `${name}.b.c.d`, data },
    ]);
    const unchanged = await streams.openLog({ stream, subjects: [`${name}.a`] });
    expect((await unchanged.bounds()).bytesMax).toBe(2_000_000);
    expect(await kindOf(streams.openLog({ stream: "no name", subjects: ["x"] }))).toBe("invalid");
  });

  test("can be opened by many at once", async () => {
    const { openLog } = scene();
    const logs = await Promise.all(Array.from({ length: 8 }, () => openLog({ bytesMax: 1_000_000 })));
    const identities = await Promise.all(logs.map((log) => log.identity()));
    expect(new Set(identities).size).toBe(1);
  });

  test("gets another identity when it is made anew, and its readers stop instead of going on", async () => {
    const { name, broker, openLog, signal } = scene();
    const log = await openLog();
    const before = await log.identity();
    await log.append([{ subject: `${name}.a`, data: bytesOf("old") }]);
    const reader = follow(log, { subjects: [`${name}.>`], afterSequence: 0, signal });
    await eventually(() => reader.records.length === 1);

    await broker.deleteStream(log.stream);
    const remade = await openLog();
    expect(await remade.identity()).not.toBe(before);
    await remade.append([1, 2, 3].map((i) => ({ subject: `${name}.a`, data: bytesOf(`new ${i}`) })));
    expect(await reader.ended).toMatchObject({ kind: "gone", retryable: false });
    expect(reader.records.length).toBe(1);
    // The handle from before must not start over in the other stream either; a new one reads it.
    expect(await follow(log, { subjects: [`${name}.>`], afterSequence: 0, signal }).ended).toMatchObject({
      kind: "gone",
    });
    expect((await take(remade, 3, { subjects: [`${name}.a`], afterSequence: 0 })).length).toBe(3);
    // Who knows of the other stream says so.
    const identity = await log.identity();
    expect((await take(log, 3, { subjects: [`${name}.a`], afterSequence: 0, identity })).length).toBe(3);
  });

  test("says that it is gone when it was deleted or ends before the position", async () => {
    const { name, broker, openLog, signal } = scene();
    const log = await openLog();
    await log.append([{ subject: `${name}.a`, data: bytesOf("1") }]);
    const ahead = follow(log, { subjects: [`${name}.a`], afterSequence: 2, signal });
    expect(await ahead.ended).toMatchObject({ kind: "gone" });
    await broker.deleteStream(log.stream);
    const reader = follow(log, { subjects: [`${name}.a`], afterSequence: 0, signal });
    expect(await reader.ended).toMatchObject({ kind: "gone" });
    expect(await kindOf(log.append([{ subject: `${name}.a`, data: bytesOf("2") }]))).toBe("gone");
    expect(await kindOf(log.bounds())).toBe("gone");
    expect(await kindOf(log.last(`${name}.a`))).toBe("gone");
    expect(await kindOf(log.identity())).toBe("gone");
  });

  test("fails at once while the broker is away, and readers wait for its return", async () => {
    const { name, broker, streams, openLog, signal } = scene();
    const log = await openLog();
    const subject = `${name}.a`;
    await log.append([{ subject, data: bytesOf("1") }]);
    const changes: boolean[] = [];
    streams.onConnectionChange((connected) => changes.push(connected));
    const reader = follow(log, { subjects: [subject], afterSequence: 0, signal });
    await eventually(() => reader.records.length === 1);

    await broker.crash();
    await eventually(() => !streams.isConnected());
    const late = follow(log, { subjects: [subject], afterSequence: 0, signal });
    expect(await kindOf(log.append([{ subject, data: bytesOf("never") }]))).toBe("unavailable");
    expect(await kindOf(log.last(subject))).toBe("unavailable");
    expect(await kindOf(streams.request("anyone", bytesOf("?"), { timeoutMs: 5_000 }))).toBe("unavailable");
    streams.publishHint("anyone", bytesOf("dropped"));

    await broker.restart();
    await eventually(() => streams.isConnected());
    expect(changes).toEqual([false, true]);
    await log.append([{ subject, data: bytesOf("2") }]);
    await eventually(() => reader.records.length === 2 && late.records.length === 2);
    for (const { records } of [reader, late]) expect(records.map(({ data }) => textOf(data))).toEqual(["1", "2"]);
  });
}
