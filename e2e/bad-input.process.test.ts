/**
 * Bad input against a running lake: every kind of it is either refused with a clear 4xx, or lands in the errors table
 * with field, rule and original bytes while the rest of its payload is stored. Never a 5xx, never a hang.
 */
import { connectStreams, type StreamConnection } from "@firn/stream";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLake, type RunningLake } from "../bench/load/lake.mjs";
import {
  badPayloads,
  badSamples,
  goodSample,
  longSamples,
  manyBad,
  oddTexts,
  payload,
  refusedSamples,
} from "./support/bad-input.ts";
import { refusedQuestions, refusedRequests } from "./support/bad-requests.ts";
import { ingest, problemOf, rowsOf, send, settledCounts } from "./support/lake-requests.ts";

const startLimitMs = 180_000;
/** A problem quotes little of what was sent. */
const problemBytesMax = 8_192;
const broadRange = { start_time: "1900-01-01T00:00:00Z", end_time: "2200-01-01T00:00:00Z" };

let lake: RunningLake;
let streams: StreamConnection;

beforeAll(async () => {
  lake = await startLake({ name: "bad-input" });
  streams = await connectStreams({ url: lake.endpoints.nats, name: "test" });
}, startLimitMs);

afterAll(async () => {
  await streams?.close();
  await lake?.stop();
}, startLimitMs);

const good = payload("refused", [goodSample("never-stored")]);
const ndjson = { "content-type": "application/x-ndjson" };
const gzip = { "content-encoding": "gzip" };

describe("requests that are refused whole", () => {
  it.each(refusedRequests)("$what: $status $code", async ({ body, headers, dataset, status, code, error }) => {
    const answer = await ingest(lake.endpoints, body, headers, dataset);
    expect(answer).toMatchObject({ status, contentType: "application/problem+json" });
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status, code, detail: expect.stringMatching(/\w.*\.$/s) });
    expect(problem.errors?.[0]).toMatchObject({ ...error, message: expect.stringMatching(/\w/) });
    expect(answer.text.length).toBeLessThan(problemBytesMax);
  });

  it.each([
    ["a path that is not percent-encoded", "POST", "/v1/ingest/%zz", 400],
    ["no dataset", "POST", "/v1/ingest/", 404],
    ["another method", "GET", "/v1/ingest/health", 404],
    ["a path of 5,000 characters", "POST", `/v1/ingest/${"x".repeat(5_000)}`, 414],
  ])("%s: a 4xx", async (_, method, path, status) => {
    const answer = await send(`${lake.endpoints.ingest}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(method === "POST" ? { body: good } : {}),
    });
    expect(answer).toMatchObject({ status, contentType: "application/problem+json" });
  });

  it.each([
    ["two lengths", "content-length: 5\r\ncontent-length: 6\r\n"],
    ["a length and chunks", "content-length: 5\r\ntransfer-encoding: chunked\r\n"],
    ["a length that is no number", "content-length: five\r\n"],
    ["headers without end", `x: ${"y".repeat(100_000)}\r\n`],
  ])("not HTTP, %s: a 4xx, and the connection ends", async (_, headers) => {
    const answer = await raw(
      lake.endpoints.ingest,
      `POST /v1/ingest/health HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\nhello`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).toContain("application/problem+json");
  });

  it("a body that ends early harms nothing", async () => {
    const head = "POST /v1/ingest/health HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    await raw(lake.endpoints.ingest, `${head}content-length: 1000\r\n\r\n{"deviceId"`, { half: true });
    await raw(lake.endpoints.ingest, `${head}transfer-encoding: chunked\r\n\r\n5\r\n{"dev\r\nzz`, { half: true });
    expect((await send(`${lake.endpoints.ingest}/health/ready`)).status).toBe(200);
  });

  it("nothing of them was accepted", async () => {
    expect(await settledCounts(lake.endpoints)).toEqual({
      received: 0,
      stored: 0,
      corrected: 0,
      duplicates: 0,
      rejected: 0,
      deleted: 0,
    });
  });
});

describe("payloads that are accepted", () => {
  const expected = { received: 0, stored: 0, corrected: 0, duplicates: 0, rejected: 0, deleted: 0 };

  beforeAll(async () => {
    const bodies: string[] = [];
    for (const { user, sample, fields } of badSamples) {
      bodies.push(payload(user, [goodSample("before"), sample, goodSample("after")], fields));
      count({ received: 3, stored: 2, rejected: 1 });
    }
    // The phone sends the bad ones again: nothing new.
    for (const { user, sample, fields } of badSamples.slice(0, 5)) {
      bodies.push(payload(user, [sample, goodSample("before")], fields));
      count({ received: 2, duplicates: 2 });
    }
    for (const { body, records } of badPayloads) {
      bodies.push(body);
      count({ received: records, rejected: records });
    }
    for (const { user, samples, fields, refused } of refusedSamples) {
      bodies.push(payload(user, samples, fields));
      count({ received: refused.length, rejected: refused.length });
    }
    for (const { user, text } of oddTexts) {
      bodies.push(
        JSON.stringify({
          deviceId: text,
          userId: user,
          appVersion: text,
          samples: [
            {
              ...(JSON.parse(goodSample(text)) as object),
              sourceBundle: text,
              metadata: { [text]: text, plain: text },
            },
          ],
        }),
      );
      count({ received: 1, stored: 1 });
    }
    const composed = payload("normal-forms", [goodSample("\u00e9"), goodSample("e\u0301"), goodSample("\u00e9")]);
    bodies.push(composed);
    count({ received: 3, stored: 2, duplicates: 1 });
    bodies.push(payload("ten thousand", manyBad));
    count({ received: manyBad.length, rejected: manyBad.length });
    for (const { user, sample } of longSamples) {
      bodies.push(payload(user, [sample, goodSample("beside")]));
      count({ received: 2, stored: 1, rejected: 1 });
    }
    for (const body of bodies) expect(await ingest(lake.endpoints, body)).toMatchObject({ status: 202 });

    const mixed = [payload("mixed", [goodSample("a"), "null"]), payload("mixed", [goodSample("b")])];
    expect(await ingest(lake.endpoints, `[${mixed.join()}]`)).toMatchObject({ status: 202 });
    expect(await ingest(lake.endpoints, gzipSync(mixed.join("\r\n")), { ...ndjson, ...gzip })).toMatchObject({
      status: 202,
    });
    count({ received: 6, stored: 2, rejected: 1, duplicates: 3 });
    expect(await settledCounts(lake.endpoints)).toEqual(expected);
  }, 240_000);

  function count(change: Partial<typeof expected>): void {
    for (const [name, n] of Object.entries(change)) expected[name as keyof typeof expected] += n;
  }

  it("counters are exact: received = stored + corrected + duplicates + rejected + deleted", async () => {
    const { received, stored, corrected, duplicates, rejected, deleted } = await settledCounts(lake.endpoints);
    expect(received).toBe(stored + corrected + duplicates + rejected + deleted);
    expect(received).toBe(expected.received);
  });

  it.each(badSamples)("a sample with $what is a dead letter, its neighbours are stored", async (bad) => {
    const errors = await deadLetters(bad.user);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      error_type: bad.type ?? "validation_error",
      raw_payload: bad.sample,
      user_id: bad.user,
      device_id: "phone",
      sample_id: bad.sampleId === undefined ? "bad" : bad.sampleId,
      kafka_topic: expect.stringMatching(/^intake\.health\.\d$/),
    });
    for (const word of bad.says) expect(errors[0]?.error_message).toContain(word);
    const ids = (await rawRows(bad.user)).map((row) => row.sample_id);
    expect(ids.sort()).toEqual(["after", "before"]);
  });

  it.each(badPayloads)("$what refuses the payload as one dead letter with all its bytes", async (bad) => {
    const errors = await deadLetters(bad.user);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ error_type: "validation_error", raw_payload: bad.body, user_id: bad.user });
    for (const word of bad.says) expect(errors[0]?.error_message).toContain(word);
    expect(await rawRows(bad.user)).toEqual([]);
  });

  it.each(refusedSamples)("$what refuses its records one by one", async ({ user, refused, says }) => {
    const errors = await deadLetters(user);
    expect(errors.map((error) => error.raw_payload).sort()).toEqual([...refused].sort());
    for (const error of errors) for (const word of says) expect(error.error_message).toContain(word);
  });

  it.each(oddTexts)("$what comes back byte for byte", async ({ user, text }) => {
    const rows = await rawRows(user);
    expect(rows).toHaveLength(1);
    const [row] = rows;
    expect(bytesOf(row?.sample_id)).toEqual(bytesOf(text));
    expect(bytesOf(row?.user_id)).toEqual(bytesOf(user));
    expect(bytesOf(row?.device_id)).toEqual(bytesOf(text));
    expect(bytesOf(row?.app_version)).toEqual(bytesOf(text));
    expect(bytesOf(row?.source_bundle)).toEqual(bytesOf(text));
    expect(Object.entries(row?.metadata ?? {}).sort()).toEqual(
      [
        [text, text],
        ["plain", text],
      ].sort(),
    );
    const reply = await askByNats("health.raw", { user_id: user, ...broadRange });
    expect((JSON.parse(reply) as { data: RawRow[] }).data).toEqual(rows);
  });

  it("NFC and NFD ids are two samples; the same bytes again are one", async () => {
    const ids = (await rawRows("normal-forms")).map((row) => bytesOf(row.sample_id).toString("hex"));
    expect(ids.sort()).toEqual(["65cc81", "c3a9"]);
  });

  it("an array and lines with one bad sample store the rest", async () => {
    expect((await rawRows("mixed")).map((row) => row.sample_id).sort()).toEqual(["a", "b"]);
    expect(await deadLetters("mixed")).toMatchObject([{ raw_payload: "null", sample_id: null }]);
  });

  it.each(longSamples)("$what is a dead letter with all of its bytes", async ({ user, sample, kept }) => {
    const [error] = await deadLetters(user);
    const text = error?.raw_payload ?? "";
    expect(text.startsWith("base64:")).toBe(kept === "base64");
    const original = kept === "base64" ? Buffer.from(text.slice("base64:".length), "base64") : Buffer.from(text);
    expect(original.equals(Buffer.from(sample))).toBe(true);
    expect((await rawRows(user)).map((row) => row.sample_id)).toEqual(["beside"]);
  });

  it("10,000 bad samples of one payload are 10,000 dead letters; pages of them hold each once", async () => {
    expect((await deadLetters("ten thousand")).map((error) => error.raw_payload).sort()).toEqual([...manyBad].sort());
    const all = await rowsOf<ErrorRow>(lake.endpoints, "health/errors", { limit: "999" });
    expect(new Set(all.map((row) => row.error_id)).size).toBe(all.length);
    expect(all).toHaveLength(expected.rejected);
  });
});

describe("questions that are refused, by HTTP and by NATS", () => {
  it.each(refusedQuestions)("%s", async (_, question, parameters, field) => {
    const search = new URLSearchParams(
      Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answer = await send(`${lake.endpoints.query}/api/${question.replace(".", "/")}?${search}`);
    expect(answer).toMatchObject({ status: 400, contentType: "application/problem+json" });
    const byNats = await askByNats(question, parameters);
    for (const text of [answer.text, byNats]) {
      const problem = problemOf({ text });
      expect(problem).toMatchObject({ status: 400, code: expect.stringMatching(/^\w+$/) });
      expect(problem.errors?.map((error) => error.field)).toContain(field);
    }
  });

  it.each([
    ["a question that is none", "/api/health/constructor", 404],
    ["a lake that is none", "/api/__proto__/raw", 404],
    ["a path that is not percent-encoded", "/api/health/%zz?user_id=u", 400],
    ["a parameter twice", "/api/health/raw?user_id=u&user_id=v", 400],
    ["bytes that are not UTF-8", "/api/health/raw?user_id=u&cursor=%ff%fe", 400],
    ["wait_ms that is none", "/api/pipeline?wait_ms=NaN", 400],
  ])("%s: %s", async (_, path, status) => {
    const answer = await send(`${lake.endpoints.query}${path}`);
    expect(answer).toMatchObject({ status, contentType: "application/problem+json" });
  });

  it.each([
    ["bytes that are not UTF-8", Buffer.from([0xff, 0x00]), "broken_json"],
    ["half an object", Buffer.from(`{"user_id":`), "broken_json"],
    ["a list", Buffer.from("[]"), "invalid_parameter"],
    ["depth 100,000", Buffer.from("[".repeat(100_000)), "broken_json"],
    ["a parameter of another kind", Buffer.from(`{"user_id":{"a":1}}`), "invalid_parameter"],
  ])("a NATS body of %s", async (_, body, code) => {
    const reply = await streams.request("query.health.raw", body, { timeoutMs: 20_000 });
    expect(JSON.parse(Buffer.from(reply).toString())).toMatchObject({ status: 400, code });
  });

  it("an odd user without data is an empty answer", async () => {
    for (const odd of ["'; DROP TABLE x; --", "%", "\u0000", "../..", "x".repeat(1_500)])
      expect(await rawRows(odd)).toEqual([]);
  });
});

it("no service failed at any of it", async () => {
  for (const [name, url] of Object.entries(lake.endpoints).filter(([, url]) => String(url).startsWith("http:"))) {
    if (name === "nats_monitor") continue;
    const { text } = await send(`${String(url)}/metrics`);
    expect(text.match(/^firn_http_request_duration_seconds_count\{.*status="5\d\d".*$/gm), name).toBeNull();
    expect(await send(`${String(url)}/health/ready`), name).toMatchObject({ status: 200 });
  }
});

interface RawRow {
  readonly device_id: string;
  readonly user_id: string;
  readonly sample_id: string;
  readonly app_version: string;
  readonly source_bundle: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
}

interface ErrorRow {
  readonly error_id: string;
  readonly error_type: string;
  readonly error_message: string;
  readonly raw_payload: string | null;
  readonly sample_id: string | null;
}

const bytesOf = (text: string | undefined | null) => Buffer.from(text ?? "absent", "utf8");
const rawRows = (user: string) => rowsOf<RawRow>(lake.endpoints, "health/raw", { user_id: user, ...broadRange });
const deadLetters = (user: string) => rowsOf<ErrorRow>(lake.endpoints, "health/errors", { user_id: user });

async function askByNats(question: string, parameters: Record<string, unknown>): Promise<string> {
  const body = Buffer.from(JSON.stringify(parameters));
  return Buffer.from(await streams.request(`query.${question}`, body, { timeoutMs: 20_000 })).toString();
}

/** Writes bytes to a socket and collects what comes back until the other side ends. */
function raw(url: string, text: string, { half = false } = {}): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end of the answer; so far: ${received}`));
    }, 15_000);
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(received);
    });
    if (half) socket.end(text);
    else socket.write(text);
  });
}
