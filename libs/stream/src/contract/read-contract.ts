import { expect, test } from "vitest";
import type { Log, LogRecord } from "../log.ts";
import { bytesOf, follow, kindOf, take, textOf, type ContractScene } from "./broker.ts";
import { eventually } from "./eventually.ts";

export function readContract(scene: () => ContractScene): void {
  test("goes on where it is told, and waits at the end for what comes", async () => {
    const { name, openLog, signal } = scene();
    const log = await openLog();
    await appendTexts(log, `${name}.a`, ["1", "2", "3"]);
    const { records } = follow(log, { subjects: [`${name}.a`], afterSequence: 2, signal });
    await eventually(() => records.length === 1);
    await appendTexts(log, `${name}.a`, ["4", "5"]);
    await eventually(() => records.length === 3);
    expect(records.map(({ data }) => textOf(data))).toEqual(["3", "4", "5"]);
    expect(records.map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
  });

  test("keeps the order of the stream over all subjects of a wildcard, and leaves the others out", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const subjects = ["in.x.0", "in.y.0", "in.x.1", "out.x.0", "in"].map((tail) => `${name}.${tail}`);
    for (let i = 0; i < 40; i++) await appendTexts(log, subjects[(i * 7) % 5]!, [`${i}`]);
    const expected = (tails: RegExp) =>
      Array.from({ length: 40 }, (_, i) => i).filter((i) => tails.test(subjects[(i * 7) % 5]!.slice(name.length + 1)));
    const read = async (filters: string[], count: number) => {
      const records = await take(log, count, {
        subjects: filters.map((filter) => `${name}.${filter}`),
        afterSequence: 0,
      });
      return records.map(({ data }) => Number(textOf(data)));
    };
    expect(await read(["in.*.0"], 16)).toEqual(expected(/^in\..\.0$/));
    expect(await read(["in.>"], 24)).toEqual(expected(/^in\./));
    expect(await read(["in.x.*", "out.x.0"], 24)).toEqual(expected(/^in\.x|^out/));
    expect(
      await read(
        [">"].map(() => ">"),
        40,
      ),
    ).toEqual(expected(/./));
  });

  test("gives several readers of one connection all records each", async () => {
    const { name, openLog, signal } = scene();
    const log = await openLog();
    const readers = [0, 10, 20].map((afterSequence) => follow(log, { subjects: [`${name}.>`], afterSequence, signal }));
    await appendTexts(
      log,
      `${name}.a`,
      Array.from({ length: 20 }, (_, i) => `${i}`),
    );
    await appendTexts(log, `${name}.a`, ["20"]);
    await eventually(() => readers[0]!.records.length === 21);
    const opened = await openLog();
    const late = await take(opened, 21, { subjects: [`${name}.>`], afterSequence: 0 });
    expect(late.map(({ sequence }) => sequence)).toEqual(readers[0]!.records.map(({ sequence }) => sequence));
  });

  test("does not run ahead of a slow reader by more than it may, and loses nothing", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const data = new Uint8Array(100_000);
    for (let i = 0; i < 6; i++) await log.append(Array.from({ length: 10 }, () => ({ subject: `${name}.a`, data })));
    const sequences: number[] = [];
    const stop = new AbortController();
    const options = { subjects: [`${name}.a`], afterSequence: 0, prefetchBytesMax: 300_000, signal: stop.signal };
    for await (const record of log.read(options)) {
      await log.bounds(); // a round trip each
      sequences.push(record.sequence);
      if (sequences.length === 60) stop.abort();
    }
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
  });

  test("ends promptly and without an error at the signal: waiting, between records, and before the start", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    await appendTexts(log, `${name}.a`, ["1", "2", "3"]);
    const options = { subjects: [`${name}.a`], afterSequence: 0 };

    const waiting = new AbortController();
    const { records, ended } = follow(log, { ...options, signal: waiting.signal });
    await eventually(() => records.length === 3);
    waiting.abort();
    expect(await ended).toBeUndefined();

    expect((await take(log, 1, options)).map(({ sequence }) => sequence)).toEqual([1]);
    expect(await follow(log, { ...options, signal: AbortSignal.abort() }).ended).toBeUndefined();
  });

  test("may be left by the reader at any record", async () => {
    const { name, openLog, signal } = scene();
    const log = await openLog();
    await appendTexts(log, `${name}.a`, ["1", "2", "3"]);
    const seen: LogRecord[] = [];
    for await (const record of log.read({ subjects: [`${name}.a`], afterSequence: 0, signal })) {
      seen.push(record);
      if (seen.length === 2) break;
    }
    expect(seen.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test("refuses filters that cannot be read", async () => {
    const { openLog, signal } = scene();
    const log = await openLog();
    for (const subjects of [[], [""], ["a..b"], ["a.>.b"], ["a.*", "a.b"], ["a.*.c", "a.b.*"], ["a", "a"]]) {
      const reading = log.read({ subjects, afterSequence: 0, signal });
      expect(await kindOf(reading[Symbol.asyncIterator]().next()), JSON.stringify(subjects)).toBe("invalid");
    }
  });

  test("leaves out what was trimmed, before it and while it reads", async () => {
    const { name, openLog, signal } = scene();
    const log = await openLog();
    const [a, b] = [`${name}.a`, `${name}.b`];
    await appendTexts(log, a, ["1", "2", "3"]);
    await appendTexts(log, b, ["4"]);
    await appendTexts(log, a, ["5"]);
    await log.trim(a, 3);
    const { records } = follow(log, { subjects: [`${name}.>`], afterSequence: 1, signal });
    await eventually(() => records.length === 2);
    await log.trim(a, 5);
    await appendTexts(log, a, ["6"]);
    await eventually(() => records.length === 3);
    expect(records.map(({ sequence }) => sequence)).toEqual([4, 5, 6]);
  });

  test("knows the last record of a subject and how many lie after a position", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const [a, b] = [`${name}.a`, `${name}.b`];
    expect(await log.last(a)).toBeUndefined();
    expect(await log.pending([`${name}.>`], 0)).toBe(0);
    expect(await log.bounds()).toMatchObject({ firstSequence: 0, lastSequence: 0, bytesMax: -1 });
    await appendTexts(log, a, ["1", "2"]);
    await log.append([{ subject: b, data: bytesOf("3"), headers: { "Firn-Run": "r" } }]);
    await appendTexts(log, a, ["4"]);
    expect(await log.last(b)).toMatchObject({ subject: b, sequence: 3, headers: { "Firn-Run": "r" } });
    expect((await log.last(a))?.sequence).toBe(4);
    expect(await log.pending([a], 0)).toBe(3);
    expect(await log.pending([a], 1)).toBe(2);
    expect(await log.pending([`${name}.*`], 2)).toBe(2);
    expect(await log.pending([a, b], 3)).toBe(1);
    expect(await log.pending([a], 4)).toBe(0);
    expect(await log.bounds()).toMatchObject({ firstSequence: 1, lastSequence: 4 });
  });

  test("trims one subject through a sequence, but never its last record", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const [a, b] = [`${name}.a`, `${name}.b`];
    await appendTexts(log, a, ["1", "2", "3"]);
    await appendTexts(log, b, ["4", "5"]);
    await log.trim(a, 2);
    expect(await log.pending([`${name}.>`], 0)).toBe(3);
    expect((await log.bounds()).firstSequence).toBe(3);
    await log.trim(a, 1_000);
    await log.trim(b, 4);
    await log.trim(`${name}.never`, 10);
    expect((await log.last(a))?.sequence).toBe(3);
    expect((await log.last(b))?.sequence).toBe(5);
    expect(await log.pending([`${name}.>`], 0)).toBe(2);
    const append = { subject: a, data: bytesOf("6"), expectedLastSequence: 3 };
    expect(await log.append([append])).toEqual({ lastSequence: 6 });
  });
}

async function appendTexts(log: Log, subject: string, texts: string[]): Promise<void> {
  await log.append(texts.map((text) => ({ subject, data: bytesOf(text) })));
}
