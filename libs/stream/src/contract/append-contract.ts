import { expect, test } from "vitest";
import { APPEND_RECORDS_MAX } from "../log.ts";
import { bytesOf, kindOf, take, textOf, type ContractScene } from "./broker.ts";

export function appendContract(scene: () => ContractScene): void {
  test("stores records with consecutive sequences and gives back data, headers and time", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const startMs = Date.now();
    const headers = { "Firn-Input-Sequence": "7", "x-Note": "naïve ✓ 値: 1" };
    expect(await log.append([{ subject: `${name}.a`, data: bytesOf("one"), headers }])).toEqual({ lastSequence: 1 });
    const many = ["two", "three", "four"].map((text) => ({ subject: `${name}.b`, data: bytesOf(text) }));
    expect(await log.append(many)).toEqual({ lastSequence: 4 });

    const records = await take(log, 4, { subjects: [`${name}.>`], afterSequence: 0 });
    expect(records.map((record) => [record.sequence, record.subject, textOf(record.data)])).toEqual([
      [1, `${name}.a`, "one"],
      [2, `${name}.b`, "two"],
      [3, `${name}.b`, "three"],
      [4, `${name}.b`, "four"],
    ]);
    expect(records.map((record) => record.headers)).toEqual([headers, {}, {}, {}]);
    for (const { timestampMs } of records) expect(Math.abs(timestampMs - startMs)).toBeLessThan(60_000);
  });

  test("stores an empty record", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    await log.append([{ subject: `${name}.a`, data: new Uint8Array() }]);
    expect((await log.last(`${name}.a`))?.data.byteLength).toBe(0);
  });

  test("keeps a copy: bytes that the writer changes later stay as they were", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const data = bytesOf("before");
    await log.append([{ subject: `${name}.a`, data }]);
    data.fill(0);
    expect(textOf((await log.last(`${name}.a`))!.data)).toBe("before");
  });

  test("takes 1,000 records at once and refuses 1,001", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const batch = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ subject: `${name}.${i % 7}`, data: bytesOf(`${i}`) }));
    expect(await log.append(batch(APPEND_RECORDS_MAX))).toEqual({ lastSequence: APPEND_RECORDS_MAX });
    expect(await kindOf(log.append(batch(APPEND_RECORDS_MAX + 1)))).toBe("too_large");
    expect((await log.bounds()).lastSequence).toBe(APPEND_RECORDS_MAX);
    const records = await take(log, APPEND_RECORDS_MAX, { subjects: [`${name}.*`], afterSequence: 0 });
    expect(records.map(({ data }) => Number(textOf(data)))).toEqual(records.map((_, i) => i));
  });

  test("takes records as large as it says, and refuses larger ones before anything is stored", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    expect(log.recordBytesMax).toBeGreaterThanOrEqual(8 * 1024 * 1024);
    const large = new Uint8Array(log.recordBytesMax - 300).map((_, i) => i * 31);
    const subject = `${name}.large`;
    await log.append([{ subject, data: large }]);
    await log.append([
      { subject, data: large },
      { subject, data: bytesOf("small") },
    ]);
    expect(await kindOf(log.append([{ subject, data: new Uint8Array(log.recordBytesMax + 1) }]))).toBe("too_large");
    const records = await take(log, 3, { subjects: [subject], afterSequence: 0, prefetchBytesMax: 64 * 1024 });
    expect(records.map(({ data }) => data.byteLength)).toEqual([large.byteLength, large.byteLength, 5]);
    expect(Buffer.compare(records[1]!.data, large)).toBe(0);
  });

  test("stores nothing of an append whose expectation is wrong, wherever it stands", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const [a, b] = [`${name}.a`, `${name}.b`];
    const data = bytesOf("x");
    await log.append([{ subject: a, data }]);
    const wrong = [
      [{ subject: a, data, expectedLastSequence: 0 }],
      [{ subject: b, data, expectedLastSequence: 1 }],
      [
        { subject: b, data },
        { subject: a, data, expectedLastSequence: 9 },
        { subject: b, data },
      ],
      [
        { subject: a, data },
        { subject: b, data },
        { subject: a, data, expectedLastSequence: 2 },
      ],
    ];
    for (const records of wrong) expect(await kindOf(log.append(records))).toBe("wrong_expectation");
    expect((await log.bounds()).lastSequence).toBe(1);
    expect(await log.last(b)).toBeUndefined();
  });

  test("compares an expectation with the subject as it was before the append", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const [a, b] = [`${name}.a`, `${name}.b`];
    const data = bytesOf("x");
    expect(await log.append([{ subject: a, data, expectedLastSequence: 0 }])).toEqual({ lastSequence: 1 });
    expect(await log.append([{ subject: b, data }])).toEqual({ lastSequence: 2 });
    const run = [
      { subject: a, data },
      { subject: b, data },
      { subject: a, data, expectedLastSequence: 1 },
    ];
    expect(await log.append(run)).toEqual({ lastSequence: 5 });
    const both = [
      { subject: b, data, expectedLastSequence: 4 },
      { subject: a, data, expectedLastSequence: 5 },
    ];
    expect(await log.append(both)).toEqual({ lastSequence: 7 });
    expect(await log.append([{ subject: a, data, expectedLastSequence: 7 }])).toEqual({ lastSequence: 8 });
  });

  test("lets one of two fenced writers through at each position", async () => {
    const { name, broker, streams, openLog } = scene();
    const mine = await openLog();
    const other = await broker.connect();
    const theirs = await other.openLog({ stream: mine.stream, subjects: [`${name}.>`] });
    const subject = `${name}.a`;
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      const expectedLastSequence = (await mine.last(subject))?.sequence ?? 0;
      const attempt = (who: string) => [
        { subject: `${name}.b`, data: bytesOf(who) },
        { subject, data: bytesOf(who), expectedLastSequence },
      ];
      const outcomes = await Promise.all([
        kindOf(mine.append(attempt("mine"))),
        kindOf(theirs.append(attempt("theirs"))),
      ]);
      expect(outcomes.toSorted()).toEqual(["no error", "wrong_expectation"]);
    }
    expect((await mine.bounds()).lastSequence).toBe(2 * rounds);
    expect(streams.isConnected()).toBe(true);
    await other.close();
  });

  test("refuses what can never work, and stores nothing", async () => {
    const { name, openLog } = scene();
    const log = await openLog();
    const subject = `${name}.a`;
    const data = bytesOf("x");
    const invalid = [
      [],
      [{ subject: "", data }],
      [{ subject: `${name}.*`, data }],
      [{ subject: `${name}.a b`, data }],
      [{ subject: "elsewhere.a", data }],
      [{ subject, data, headers: { "Nats-Msg-Id": "1" } }],
      [{ subject, data, headers: { "": "1" } }],
      [{ subject, data, headers: { ünï: "1" } }],
      [{ subject, data, headers: { a: " padded" } }],
      [{ subject, data, headers: { a: "1\r\nb: 2" } }],
      [{ subject, data, expectedLastSequence: -1 }],
      [
        { subject, data, expectedLastSequence: 1 },
        { subject, data, expectedLastSequence: 2 },
      ],
    ];
    for (const records of invalid) expect(await kindOf(log.append(records)), JSON.stringify(records)).toBe("invalid");
    expect((await log.bounds()).lastSequence).toBe(0);
  });

  test("refuses when it is full, forgets nothing, and takes more after a trim", async () => {
    const { name, openLog } = scene();
    const log = await openLog({ bytesMax: 64 * 1024 });
    const record = { subject: `${name}.a`, data: new Uint8Array(10 * 1024) };
    let stored = 0;
    for (; stored < 10; stored++) if ((await kindOf(log.append([record]))) === "full") break;
    expect(stored).toBe(6);
    expect(await kindOf(log.append([{ ...record, data: bytesOf("small") }, record]))).toBe("full");
    const { firstSequence, lastSequence, bytes, bytesMax } = await log.bounds();
    expect([firstSequence, lastSequence, bytesMax]).toEqual([1, 6, 64 * 1024]);
    expect(bytes).toBeLessThanOrEqual(64 * 1024);
    await log.trim(record.subject, 3);
    expect(await log.append([record, record])).toEqual({ lastSequence: 8 });
  });
}
