import { describe, expect, it } from "vitest";

import { decodeColumnBatch, encodeColumnBatch, sliceColumnRows } from "./column-batch.ts";
import { deadLetterId, decodeRejectedBatch, encodeRejectedBatch, makeDeadLetter } from "./dead-letter.ts";
import { decodeIntakeFrame, encodeIntakeFrame, type IntakePayload } from "./intake-frame.ts";
import { decodeRollupRound, encodeRollupRound, type RollupRound } from "./rollup-round.ts";

const payloads: IntakePayload[] = [
  {
    bytes: Buffer.from('{"a":"é"}'),
    receivedAtUs: 1_700_000_000_000_001,
    encoding: "json",
    origin: { kind: "http" },
    receipt: "r1",
  },
  {
    bytes: Buffer.from([0, 0xff, 1]),
    receivedAtUs: 2,
    encoding: "avro",
    origin: { kind: "kafka", topic: "health-data-raw", partition: 3, offset: 42 },
  },
  { bytes: Buffer.alloc(0), receivedAtUs: 3, encoding: "json", origin: { kind: "file" } },
];

/** What version 1 of the frame looks like on the wire: lakes hold such messages. */
const GOLDEN_FRAME =
  "01000001017b227061796c6f616473223a5b7b226e223a31302c226174223a313730303030303030303030303030312c22656e63223a226a736f" +
  "6e222c226f726967696e223a7b226b696e64223a2268747470227d2c2272656365697074223a227231227d2c7b226e223a332c226174223a322c" +
  "22656e63223a226176726f222c226f726967696e223a7b226b696e64223a226b61666b61222c22746f706963223a226865616c74682d64617461" +
  "2d726177222c22706172746974696f6e223a332c226f6666736574223a34327d7d2c7b226e223a302c226174223a332c22656e63223a226a736f" +
  "6e222c226f726967696e223a7b226b696e64223a2266696c65227d7d5d7d7b2261223a22c3a9227d00ff01";

describe("an intake frame", () => {
  it("comes back as it went", () => {
    expect(decodeIntakeFrame(encodeIntakeFrame(payloads)).map((p) => ({ ...p, bytes: Buffer.from(p.bytes) }))).toEqual(
      payloads,
    );
  });

  it("has the layout of version 1", () => {
    expect(Buffer.from(encodeIntakeFrame(payloads)).toString("hex")).toBe(GOLDEN_FRAME);
    expect(decodeIntakeFrame(Buffer.from(GOLDEN_FRAME, "hex"))).toHaveLength(3);
  });

  it("carries each Avro schema once, and why a payload was refused", () => {
    const avro = { encoding: "avro", receivedAtUs: 1, origin: { kind: "kafka" } } as const;
    const some: IntakePayload[] = [
      { ...avro, bytes: Buffer.from("a"), writerSchema: '"string"' },
      { ...avro, bytes: Buffer.from("b"), refused: { errorType: "schema_error", message: "unknown schema 9" } },
      { ...avro, bytes: Buffer.from("c"), writerSchema: '"string"' },
    ];
    const frame = Buffer.from(encodeIntakeFrame(some));
    expect(frame.subarray(5).toString()).toBe(
      '{"payloads":[{"n":1,"at":1,"enc":"avro","origin":{"kind":"kafka"},"schema":0},' +
        '{"n":1,"at":1,"enc":"avro","origin":{"kind":"kafka"},"refused":{"errorType":"schema_error","message":"unknown schema 9"}},' +
        '{"n":1,"at":1,"enc":"avro","origin":{"kind":"kafka"},"schema":0}],"schemas":["\\"string\\""]}abc',
    );
    expect(decodeIntakeFrame(frame).map((p) => ({ ...p, bytes: Buffer.from(p.bytes) }))).toEqual(some);
  });

  it.each([
    ["another version", Buffer.from([0, 0, 0, 0, 0])],
    ["a short one", Buffer.from([1, 0, 0])],
    ["a header cut off", Buffer.from([1, 0, 0, 1, 0, 0x7b])],
    ["lengths that do not add up", Buffer.concat([encodeIntakeFrame(payloads), Buffer.from("x")])],
    ["a missing tail", encodeIntakeFrame(payloads).subarray(0, -1)],
  ])("refuses %s", (_, frame) => {
    expect(() => decodeIntakeFrame(frame)).toThrow(SyntaxError);
  });
});

describe("a column batch", () => {
  const rows = { rows: 2, columns: { _op: [0, 1], user_id: ["u\u0000", "😀"], metadata: [{ k: "v" }, null] } };

  it("has the shape of version 1", () => {
    const text = Buffer.from(encodeColumnBatch("health", rows)).toString();
    expect(text).toBe(
      '{"v":1,"dataset":"health","rows":2,"c._op":[0,1],"c.user_id":["u\\u0000","😀"],"c.metadata":[{"k":"v"},null]}',
    );
    expect(decodeColumnBatch(Buffer.from(text))).toEqual({ v: 1, dataset: "health", ...rows });
  });

  it("can be cut by rows", () => {
    expect(sliceColumnRows(rows, 1, 2)).toEqual({
      rows: 1,
      columns: { _op: [1], user_id: ["😀"], metadata: [null] },
    });
  });

  it("has columns of few values as a dictionary, which is version 2", () => {
    const values = Array.from({ length: 64 }, (_, row) => row);
    const columns = {
      id: values.map((row) => `id-${row}`),
      unit: values.map((row) => (row < 2 ? "kg" : null)),
      metadata: values.map((row) => (row === 0 ? {} : { k: row < 3 ? "v" : "w" })),
    };
    const text = Buffer.from(encodeColumnBatch("health", { rows: 64, columns })).toString();
    const ids = columns.id.map((id) => `"${id}"`).join(",");
    const places = (first: readonly number[], last: number) => values.map((row) => first[row] ?? last).join(",");
    expect(text).toBe(
      `{"v":2,"dataset":"health","rows":64,"c.id":[${ids}],"d.unit":["kg",null],"i.unit":[${places([0, 0], 1)}],` +
        `"d.metadata":[{},{"k":"v"},{"k":"w"}],"i.metadata":[${places([0, 1, 1], 2)}]}`,
    );
    expect(decodeColumnBatch(Buffer.from(text))).toEqual({ v: 2, dataset: "health", rows: 64, columns });
  });

  it.each([
    '{"v":0}',
    '{"v":1,"dataset":"d","rows":2,"c.a":[1]}',
    '{"v":2,"dataset":"d","rows":2,"d.a":["x"],"i.a":[0]}',
    '{"v":2,"dataset":"d","rows":1,"d.a":["x"],"i.a":[1]}',
    '{"v":2,"dataset":"d","rows":1,"i.a":[0]}',
    "[]",
  ])("refuses %s", (text) => {
    expect(() => decodeColumnBatch(Buffer.from(text))).toThrow(SyntaxError);
  });
});

describe("a dead letter", () => {
  const input = {
    dataset: "health",
    errorType: "validation_error",
    message: "value is missing",
    timestampUs: 5,
    bytes: Buffer.from('{"id":"a"}'),
    userId: "u",
    deviceId: null,
    sampleId: "a",
    dataType: null,
    topic: "intake.health.1",
    partition: 1,
    offset: 9,
  } as const;

  it("has one id for the same bytes, user, device and error type, wherever they lay", () => {
    const id = deadLetterId(input);
    expect(id).toBe("13063a083ce714e4f45f436159192827");
    expect(makeDeadLetter({ ...input, message: "other", timestampUs: 6, offset: 10 }).error_id).toBe(id);
    for (const other of [
      { userId: "v" },
      { deviceId: "" },
      { errorType: "schema_error" },
      { bytes: Buffer.from("{}") },
    ]) {
      expect(deadLetterId({ ...input, ...other } as typeof input)).not.toBe(id);
    }
    // Lengths keep parts apart.
    expect(deadLetterId({ ...input, userId: "ab", deviceId: "c" })).not.toBe(
      deadLetterId({ ...input, userId: "a", deviceId: "bc" }),
    );
  });

  it("keeps text as it came and other bytes as base64", () => {
    expect(makeDeadLetter(input).raw_payload).toBe('{"id":"a"}');
    expect(makeDeadLetter({ ...input, bytes: Buffer.from([0xff, 0x00]) }).raw_payload).toBe("base64:/wA=");
  });

  it("keeps long text that JSON would blow up as base64, and other long text as it is", () => {
    const control = Buffer.alloc(3_000_000, 1);
    const plain = Buffer.alloc(3_000_000, "x");
    const message = encodeRejectedBatch(
      "health",
      [control, plain].map((bytes) => makeDeadLetter({ ...input, bytes })),
    );
    expect(message.byteLength).toBeLessThan(7_010_000);
    const [first, second] = decodeRejectedBatch(message).records;
    expect(Buffer.from(first!.raw_payload!.slice("base64:".length), "base64").equals(control)).toBe(true);
    expect(second?.raw_payload).toBe(plain.toString());
  });
});

describe("a round of the rollups", () => {
  const round: RollupRound = {
    v: 3,
    dataset: "health",
    sourceTable: "r",
    sourceSnapshot: "9007199254740993",
    baseSnapshot: null,
    part: 0,
    parts: 1,
    rollups: [
      {
        rollup: "daily",
        onto: { table: "d", snapshot: null },
        upserts: [{ location: "file:///w/staging/1.parquet", bytes: 3, rows: 2 }],
        deletes: [],
      },
      {
        rollup: "weekly",
        onto: { table: "w", snapshot: "5" },
        upserts: [],
        deletes: [],
        whole: { location: "file:///w/staging/1-files.json", bytes: 7, rows: 1 },
      },
    ],
  };

  it("has the shape of version 3", () => {
    const text = Buffer.from(encodeRollupRound(round)).toString();
    expect(text).toBe(
      '{"v":3,"dataset":"health","sourceTable":"r","sourceSnapshot":"9007199254740993","baseSnapshot":null,' +
        '"part":0,"parts":1,"rollups":[{"rollup":"daily","onto":{"table":"d","snapshot":null},' +
        '"upserts":[{"location":"file:///w/staging/1.parquet","bytes":3,"rows":2}],"deletes":[]},' +
        '{"rollup":"weekly","onto":{"table":"w","snapshot":"5"},"upserts":[],"deletes":[],' +
        '"whole":{"location":"file:///w/staging/1-files.json","bytes":7,"rows":1}}]}',
    );
    expect(decodeRollupRound(Buffer.from(text))).toEqual(round);
  });

  it.each(["{}", '{"v":2,"sourceSnapshot":"1","rollups":[]}', "not JSON"])("refuses %s", (text) => {
    expect(() => decodeRollupRound(Buffer.from(text))).toThrow(SyntaxError);
  });
});
