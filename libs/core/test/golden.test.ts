import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import {
  decodeColumnBatch,
  decodeIntakeFrame,
  decodeKafkaPosition,
  decodeRejectedBatch,
  decodeRollupRound,
  encodeColumnBatch,
  encodeIntakeFrame,
  encodeKafkaPosition,
  encodeRejectedBatch,
  encodeRollupRound,
  identityProperty,
  NewerFormat,
  parseCounts,
  parsePositions,
  refuseNewerState,
  sourceSnapshotProperty,
  stateVersionProperty,
} from "../src/index.ts";

/** What releases of Firn have stored: these files never change, a new version gets a new one (docs/formats.md). */
const golden = (name: string): Buffer => readFileSync(join(import.meta.dirname, "golden", name));

describe("what earlier releases have sent", () => {
  it("intake frames of version 1 are read, and written with the same bytes", () => {
    const payloads = decodeIntakeFrame(golden("intake-frame.v1.bin"));
    expect(payloads.map(({ bytes, ...rest }) => [Buffer.from(bytes).toString("latin1"), rest])).toEqual([
      [
        Buffer.from('{"deviceId":"d","userId":"é","samples":[]}').toString("latin1"),
        { receivedAtUs: 1_700_000_000_000_001, encoding: "json", origin: { kind: "http" }, receipt: "1f" },
      ],
      [
        "\0\0\0\0\x07\x01",
        {
          receivedAtUs: 2,
          encoding: "avro",
          origin: { kind: "kafka", topic: "health-data-raw", partition: 3, offset: 42 },
          writerSchema: '{"type":"string"}',
        },
      ],
      [
        "\xff",
        {
          receivedAtUs: 3,
          encoding: "json",
          origin: { kind: "file" },
          refused: { errorType: "schema_error", message: "unknown schema 9" },
        },
      ],
    ]);
    expect(Buffer.from(encodeIntakeFrame(payloads)).equals(golden("intake-frame.v1.bin"))).toBe(true);
  });

  it("column batches of version 1 are read", () => {
    expect(decodeColumnBatch(golden("column-batch.v1.json"))).toMatchObject({
      v: 1,
      dataset: "health",
      rows: 2,
      columns: {
        _op: [0, 1],
        user_id: ["anna", "😀"],
        value: [71.5, null],
        start_date: [1_767_225_600_000_000, null],
        local_date: [20454, null],
        metadata: [{ k: "v" }, null],
      },
    });
  });

  it("column batches of version 2 are read", () => {
    const { v, rows, columns } = decodeColumnBatch(golden("column-batch.v2.json"));
    expect([v, rows]).toEqual([2, 64]);
    const row = (at: number) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[at]]));
    expect(row(0)).toEqual({ _op: 0, user_id: "anna", sample_id: "s0", value: 71.5, metadata: { k: "v" } });
    expect(row(32)).toEqual({ _op: 0, user_id: "😀", sample_id: "s32", value: 71.5, metadata: {} });
    expect(row(63)).toEqual({ _op: 1, user_id: "😀", sample_id: "s63", value: null, metadata: null });
  });

  it.each([
    ["column-batch.v2.json", (bytes: Buffer) => encodeColumnBatch("health", decodeColumnBatch(bytes))],
    ["column-batch.v1.json", (bytes: Buffer) => encodeColumnBatch("health", decodeColumnBatch(bytes))],
    ["rejected-batch.v1.json", (bytes: Buffer) => encodeRejectedBatch("health", decodeRejectedBatch(bytes).records)],
    ["rollup-round.v3.json", (bytes: Buffer) => encodeRollupRound(decodeRollupRound(bytes))],
    ["kafka-position.v1.json", (bytes: Buffer) => encodeKafkaPosition(decodeKafkaPosition(bytes))],
  ])("%s is what this release writes, too", (name, again) => {
    expect(Buffer.from(again(golden(name))).toString()).toBe(golden(name).toString());
  });

  it("dead letters of version 1 are read", () => {
    const { records } = decodeRejectedBatch(golden("rejected-batch.v1.json"));
    expect(records.map((letter) => [letter.error_type, letter.raw_payload, letter.kafka_offset])).toEqual([
      ["validation_error", '{"id":"a"}', 9],
      ["validation_error", "base64:/wA=", 9],
    ]);
  });

  it("rounds of version 3 and positions of Kafka of version 1 are read", () => {
    const round = decodeRollupRound(golden("rollup-round.v3.json"));
    expect(round.rollups.map(({ rollup, whole }) => [rollup, whole?.location])).toEqual([
      ["daily", undefined],
      ["weekly", "file:///w/staging/3.stats"],
    ]);
    expect(decodeKafkaPosition(golden("kafka-position.v1.json"))).toEqual({
      next: 43,
      last: { offset: 42, digest: "0f" },
    });
  });

  it("properties of tables of version 1, with it and without", () => {
    const { raw, daily } = JSON.parse(golden("table-properties.v1.json").toString()) as Record<
      "raw" | "daily",
      Record<string, string>
    >;
    refuseNewerState(raw);
    refuseNewerState(daily);
    expect(parseCounts(raw)).toEqual({ stored: 90, corrected: 1, duplicates: 5, deleted: 2, rejected: 0 });
    expect(parsePositions(raw, "VALIDATED")).toEqual(
      new Map([
        ["accepted.health.0", 17],
        ["accepted.health.1", 17],
      ]),
    );
    expect(raw[identityProperty("VALIDATED")]).toBe("2026-11-21T20:45:04Z");
    expect(daily[sourceSnapshotProperty]).toBe("9007199254740993");
  });
});

describe("what a newer release has sent is refused by name, with what to do", () => {
  const next = (name: string, from: number): Buffer =>
    Buffer.from(
      golden(name)
        .toString()
        .replace(`{"v":${from},`, `{"v":${from + 1},`),
    );

  it.each([
    ["an intake frame of version 2", () => decodeIntakeFrame(Buffer.from([2, 0, 0, 0, 0]))],
    ["a column batch of version 3", () => decodeColumnBatch(next("column-batch.v2.json", 2))],
    ["a batch of dead letters of version 2", () => decodeRejectedBatch(next("rejected-batch.v1.json", 1))],
    ["a round of the aggregator of version 4", () => decodeRollupRound(next("rollup-round.v3.json", 3))],
    ["a position of Kafka of version 2", () => decodeKafkaPosition(next("kafka-position.v1.json", 1))],
    ["the state in the table's properties", () => refuseNewerState({ [stateVersionProperty]: "2" })],
  ])("%s", (shape, read) => {
    let refusal: unknown;
    try {
      read();
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(NewerFormat);
    expect((refusal as NewerFormat).message).toContain(shape);
    expect((refusal as NewerFormat).message).toMatch(/this release reads versions up to \d$/);
    expect((refusal as NewerFormat).fix).toContain("upgrade this service");
  });

  it("bytes that are of no release are still a syntax error", () => {
    expect(() => decodeIntakeFrame(Buffer.from('{"deviceId":"d"}'))).toThrow(SyntaxError);
    expect(() => decodeRollupRound(Buffer.from('{"v":2,"sourceSnapshot":"1","rollups":[]}'))).toThrow(SyntaxError);
  });
});
