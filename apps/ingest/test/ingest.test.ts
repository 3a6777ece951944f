import { connect } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { shardOf } from "@firn/core";
import { MemoryLogs, type LogSpec } from "@firn/stream";
import { FaultyLog } from "@firn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { healthPayload, startIngest, type IngestFixture } from "./ingest-fixture.ts";

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await startIngest({ FIRN_SHARDS: "4" });
});
afterAll(() => ingest.service.close());

const NDJSON = { "content-type": "application/x-ndjson" };
const GZIP = { "content-encoding": "gzip" };
const good = JSON.stringify(healthPayload());

describe("what is accepted", () => {
  let before = 0;
  beforeEach(async () => {
    before = (await ingest.stored()).length;
  });
  const newlyStored = async () => (await ingest.stored()).slice(before);
  const texts = async () => (await newlyStored()).map(({ bytes }) => Buffer.from(bytes).toString());

  test("one payload is stored with its very bytes under its user's shard", async () => {
    const odd = ` { "userId":"zoë", "deviceId" : "d", "samples":[ ], "x":1.0, "x":2e0, "\\u0041":"\\ud800" }\n`;
    const response = await ingest.post(odd, { "content-type": "application/json; charset=utf-8" });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ receipt: expect.stringMatching(/^health-[0-9a-z]+-1-0$/), payloads: 1 });
    const [stored] = await newlyStored();
    expect(Buffer.from(stored!.bytes).toString()).toBe(odd);
    expect(stored).toMatchObject({
      subject: `intake.health.${shardOf("zoë", 4)}`,
      encoding: "json",
      origin: { kind: "http" },
    });
    expect(Math.abs(stored!.receivedAtUs / 1000 - Date.now())).toBeLessThan(10_000);
  });

  test("elements of an array are stored one by one, each with its bytes", async () => {
    const elements = ["a", "b", "c", "d"].map((user) => `{"deviceId":"d", "userId":"${user}","samples":[]}`);
    const response = await ingest.post(` [ ${elements.join(" ,\n")} ] `);
    expect([response.status, (await response.json()) as unknown]).toMatchObject([202, { payloads: 4 }]);
    expect((await texts()).sort()).toEqual(elements);
  });

  test("lines are stored without their ends; blank ones are not payloads", async () => {
    const lines = ["a", "b"].map((user) => JSON.stringify(healthPayload(user)));
    const response = await ingest.post(`\n${lines[0]}\r\n \t\r\n\n${lines[1]}`, NDJSON);
    expect([response.status, (await response.json()) as unknown]).toMatchObject([202, { payloads: 2 }]);
    expect((await texts()).sort()).toEqual([...lines].sort());
  });

  test.each([
    ["gzip", gzipSync(good)],
    ["x-gzip", gzipSync(good)],
    ["identity", Buffer.from(good)],
    ["GZIP", Buffer.concat([gzipSync(good.slice(0, 20)), gzipSync(good.slice(20))])],
  ])("Content-Encoding %s is unpacked", async (encoding, body) => {
    expect((await ingest.post(body, { "content-encoding": encoding })).status).toBe(202);
    expect(await texts()).toEqual([good]);
  });

  test("odd but well-formed strings and __proto__ come through", async () => {
    const text = `{"__proto__":{"userId":"evil"},"deviceId":"e\u0301","userId":"\u00e9 \\u0000","samples":[{"__proto__":1}]}`;
    expect((await ingest.post(text)).status).toBe(202);
    expect(await texts()).toEqual([text]);
  });

  test("bad samples are not ingest's concern", async () => {
    const text = `{"deviceId":"d","userId":"u","samples":[null,5,{"value":"NaN"}],"deleted":7}`;
    expect((await ingest.post(text)).status).toBe(202);
    expect(await texts()).toEqual([text]);
  });

  test("10,000 samples in a payload and 4 MiB in a body are the most", async () => {
    const samples = `{"deviceId":"d","userId":"u","samples":[${Array(10_000).fill("0").join()}]}`;
    expect((await ingest.post(samples)).status).toBe(202);
    const full = good + " ".repeat(4 * 1024 * 1024 - good.length);
    expect((await ingest.post(full)).status).toBe(202);
    expect((await ingest.post(gzipSync(full), GZIP)).status).toBe(202);
  });
});

describe("what is refused, whole, with a reason", () => {
  const deep = (levels: number) =>
    `{"deviceId":"d","userId":"u","samples":[],"x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  const lines = (...texts: string[]) => texts.join("\n");
  const bad = Buffer.concat([Buffer.from(`{"deviceId":"d","userId":"`), Buffer.from([0xff]), Buffer.from(`"}`)]);
  const missingUser = `{"deviceId":"d","samples":[]}`;

  const cases: [string, Parameters<IngestFixture["post"]>, number, string, object?][] = [
    ["no body", [""], 400, "empty_body"],
    ["blanks", [" \n"], 400, "empty_body"],
    ["an empty array", ["[]"], 400, "empty_body"],
    ["blank lines", ["\n\r\n", NDJSON], 400, "empty_body"],
    ["broken JSON", ["{"], 400, "broken_json", { rule: "json" }],
    ["a byte order mark", [`\ufeff${good}`], 400, "broken_json"],
    ["NaN", [`{"deviceId":"d","userId":"u","samples":[{"value":NaN}]}`], 400, "broken_json"],
    ["an array that does not end", [`[${good}`], 400, "broken_json", { rule: "json" }],
    ["a broken element", [`[${good},{"a":}]`], 400, "broken_json", { index: 1, rule: "json" }],
    ["a trailing comma", [`[${good},]`], 400, "broken_json", { index: 1 }],
    ["a broken line", [lines(good, "", "{"), NDJSON], 400, "broken_json", { line: 3, rule: "json" }],
    ["bytes that are not UTF-8", [bad], 400, "invalid_utf8", { rule: "utf-8" }],
    ["a line that is not UTF-8", [Buffer.concat([Buffer.from("\n"), bad]), NDJSON], 400, "invalid_utf8", { line: 2 }],
    ["a number", ["5"], 400, "wrong_envelope", { rule: "object" }],
    ["null", ["null"], 400, "wrong_envelope", { rule: "object" }],
    ["an array in an array", [`[[${good}]]`], 400, "wrong_envelope", { index: 0, rule: "object" }],
    ["no userId", [missingUser], 400, "wrong_envelope", { field: "userId", rule: "required" }],
    ["no userId in an element", [`[${good},${missingUser}]`], 400, "wrong_envelope", { field: "userId", index: 1 }],
    ["no userId in a line", [lines(good, missingUser), NDJSON], 400, "wrong_envelope", { field: "userId", line: 2 }],
    ["an empty deviceId", [`{"deviceId":"","userId":"u","samples":[]}`], 400, "wrong_envelope", { rule: "non-empty" }],
    ["a number as userId", [`{"deviceId":"d","userId":5,"samples":[]}`], 400, "wrong_envelope", { rule: "string" }],
    ["samples as object", [`{"deviceId":"d","userId":"u","samples":{}}`], 400, "wrong_envelope", { rule: "array" }],
    ["65 levels", [deep(64)], 400, "too_deep", { rule: "depth" }],
    ["1,000 levels", [deep(1_000)], 400, "too_deep"],
    ["100,000 levels", [deep(100_000)], 400, "too_deep"],
    ["100,000 open brackets", ["[".repeat(100_000)], 400, "broken_json"],
    ["an array of 100,000 levels", ["[".repeat(100_000) + "]".repeat(100_000)], 400, "wrong_envelope"],
    [
      "10,001 samples",
      [`{"deviceId":"d","userId":"u","samples":[${Array(10_001).fill("0").join()}]}`],
      413,
      "too_many_records",
      { field: "samples" },
    ],
    ["4 MiB and a byte", [good + " ".repeat(4 * 1024 * 1024 - good.length + 1)], 413, "too_large", { rule: "size" }],
    ["10 MB", ["x".repeat(10_000_000)], 413, "too_large"],
    ["a gzip bomb", [gzipSync(Buffer.alloc(200 * 1024 * 1024)), GZIP], 413, "too_large"],
    ["a gzip cut off", [gzipSync(good).subarray(0, -9), GZIP], 400, "broken_gzip", { rule: "gzip" }],
    ["a gzip with more behind it", [Buffer.concat([gzipSync(good), Buffer.from("more")]), GZIP], 400, "broken_gzip"],
    ["not gzip at all", [good, GZIP], 400, "broken_gzip"],
    ["an empty gzip body", ["", GZIP], 400, "broken_gzip"],
    ["deflate", [deflateSync(good), { "content-encoding": "deflate" }], 415, "unsupported_encoding"],
    ["gzip twice", [gzipSync(good), { "content-encoding": "gzip, gzip" }], 415, "unsupported_encoding"],
    ["plain text", [good, { "content-type": "text/plain" }], 415, "unsupported_media_type"],
    ["no content type", [good, { "content-type": "" }], 415, "unsupported_media_type"],
    ["latin-1", [good, { "content-type": "application/json; charset=latin1" }], 415, "unsupported_media_type"],
    ["an unknown dataset", [good, {}, "wealth"], 404, "unknown_dataset", { field: "dataset" }],
  ];

  test.each(cases)("%s", async (_name, [body, headers, dataset], status, code, error) => {
    const before = (await ingest.stored()).length;
    const response = await ingest.post(body, headers, dataset);
    const problem = (await response.json()) as { code: string; detail: string; errors: object[] };
    expect([response.status, problem.code]).toEqual([status, code]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(problem).toMatchObject({ type: "about:blank", status });
    if (error) expect(problem.errors[0]).toMatchObject(error);
    expect((await ingest.stored()).length).toBe(before);
  });

  test("every bad payload is named, up to 20", async () => {
    const response = await ingest.post(`[${Array(30).fill(missingUser).join()}]`);
    const { errors, detail } = (await response.json()) as {
      errors: { index: number; message: string }[];
      detail: string;
    };
    expect(errors.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(errors[7]?.message).toBe("index 7: userId is missing");
    expect(detail).toBe("index 0: userId is missing. Nothing of the request was accepted.");
  });
});

test("a refused body of unknown length is read to its end, so that the client sees the answer", async () => {
  const chunk = new Uint8Array(64 * 1024).fill(32);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent++ < 320) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const response = await fetch(`${ingest.service.url}/v1/ingest/health`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
    duplex: "half",
  } as RequestInit);
  expect(response.status).toBe(413);
  expect(((await response.json()) as { code: string }).code).toBe("too_large");
});

test("a client that leaves in the middle harms nothing", async () => {
  const socket = connect(Number(new URL(ingest.service.url).port), "127.0.0.1");
  const head =
    "POST /v1/ingest/health HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{";
  await new Promise<void>((resolve) => socket.write(head, () => resolve()));
  socket.destroy();
  expect((await ingest.post(good)).status).toBe(202);
  const metrics = await (await fetch(`${ingest.service.url}/metrics`)).text();
  expect(metrics).toContain("firn_ingest_held_bytes 0");
});

describe("the broker's troubles", () => {
  test("a broker that is away is a 503 with Retry-After, and not ready; back again, all is well", async () => {
    ingest.broker.setConnected(false);
    const response = await ingest.post(good);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await response.json()).toMatchObject({ code: "broker_unavailable" });
    const ready = await fetch(`${ingest.service.url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain("the broker is away");
    ingest.broker.setConnected(true);
    expect((await ingest.post(good)).status).toBe(202);
    expect((await fetch(`${ingest.service.url}/health/ready`)).status).toBe(200);
  });

  test("a full stream is a 503 that says so; nothing of the request is stored", async () => {
    const small = await startIngest({ FIRN_INTAKE_BYTES: "1MiB" });
    try {
      const body = `[${Array.from({ length: 30 }, (_, i) => JSON.stringify(healthPayload(`u${i}`, 100))).join()}]`;
      let response = await small.post(body);
      let accepted = 0;
      for (; response.status === 202 && accepted < 10; accepted++) response = await small.post(body);
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(await response.json()).toMatchObject({ code: "intake_full" });
      expect((await small.stored()).length).toBe(accepted * 30);
    } finally {
      await small.service.close();
    }
  });

  test("an append whose answer is lost is a 503 that asks for the same bytes; sent again they are stored again", async () => {
    class ForgetfulBroker extends MemoryLogs {
      override async openLog(spec: LogSpec) {
        return new FaultyLog(await super.openLog(spec), [{ on: "append", when: "after" }]);
      }
    }
    const forgetful = await startIngest({}, new ForgetfulBroker());
    try {
      const response = await forgetful.post(good);
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(await response.json()).toMatchObject({ code: "outcome_unknown" });
      expect((await forgetful.post(good)).status).toBe(202);
      expect(await forgetful.stored()).toHaveLength(2);
    } finally {
      await forgetful.service.close();
    }
  });

  test("more bytes than may be held are a 503", async () => {
    const narrow = await startIngest({ FIRN_INGEST_HELD_BYTES: "8MiB" });
    try {
      const body = gzipSync(good + " ".repeat(4 * 1024 * 1024 - good.length));
      const statuses = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const response = await narrow.post(body, GZIP);
          await response.arrayBuffer();
          return response.status;
        }),
      );
      expect(new Set(statuses)).toEqual(new Set([202, 503]));
      expect((await narrow.post(body, GZIP)).status).toBe(202);
    } finally {
      await narrow.service.close();
    }
  });

  test("another number of shards than the lake was made with is refused", async () => {
    const other = await startIngest({ FIRN_SHARDS: "8" }, ingest.broker);
    await expect(other.service.ended).rejects.toThrow(/shards/);
    await other.service.close();
  });

  test("a broker whose messages are too small is refused", async () => {
    const small = await startIngest({}, new MemoryLogs({ recordBytesMax: 1024 * 1024 }));
    await expect(small.service.ended).rejects.toThrow(/max_payload/);
    await small.service.close();
  });
});

test("a request in flight is answered before the service ends", async () => {
  const leaving = await startIngest();
  await leaving.post(good);
  const answers = Array.from({ length: 20 }, () => leaving.post(good));
  const closing = leaving.service.close();
  const statuses = await Promise.all(
    answers.map((answer) =>
      answer.then(
        ({ status }) => status,
        () => "refused",
      ),
    ),
  );
  await closing;
  const accepted = statuses.filter((status) => status === 202).length;
  expect(await leaving.stored()).toHaveLength(accepted + 1);
});

test("the API describes itself", async () => {
  const document = (await (await fetch(`${ingest.service.url}/docs-json`)).json()) as {
    openapi: string;
    paths: Record<string, { post: { responses: object } }>;
    components: { schemas: object };
  };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths["/v1/ingest/health"]!.post.responses)).toEqual([
    "202",
    "400",
    "401",
    "403",
    "404",
    "413",
    "415",
    "429",
    "503",
  ]);
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    (match) => match[1],
  );
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(references));
  const page = await fetch(`${ingest.service.url}/docs`);
  expect(page.headers.get("content-type")).toContain("text/html");
  expect(await page.text()).toContain("/v1/ingest/sales");
});
