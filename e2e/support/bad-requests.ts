/** Requests that ingest and query refuse, and what the answer must name. */
import { deflateSync, gzipSync } from "node:zlib";
import { goodSample, payload } from "./bad-input.ts";

const bombBytes = 256 * 1024 * 1024;
const good = payload("refused", [goodSample("never-stored")]);
const ndjson = { "content-type": "application/x-ndjson" };
const gzip = { "content-encoding": "gzip" };
const nested = (levels: number) =>
  `{"deviceId":"d","userId":"refused","samples":[],"x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
const envelope = (fields: object) => JSON.stringify({ deviceId: "d", userId: "refused", samples: [], ...fields });
const missing = JSON.stringify({ deviceId: "d", samples: [] });
const notUtf8 = Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from([0xff, 0xfe]), Buffer.from("}")]);
const wrongSum = Buffer.from(gzipSync(good));
wrongSum[wrongSum.length - 5] = (wrongSum.at(-5) ?? 0) ^ 0xff;

export interface RefusedRequest {
  readonly what: string;
  readonly body: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly dataset?: string;
  readonly status: number;
  readonly code: string;
  readonly error: {
    readonly field?: string;
    readonly rule?: string;
    readonly index?: number;
    readonly line?: number;
  };
}
export const refusedRequests: readonly RefusedRequest[] = [
  { what: "an empty body", body: "", status: 400, code: "empty_body", error: { field: "body" } },
  { what: "broken JSON", body: good.slice(0, -3), status: 400, code: "broken_json", error: { rule: "json" } },
  {
    what: "a bare NaN",
    body: good.replace(":72", ":NaN"),
    status: 400,
    code: "broken_json",
    error: { rule: "json" },
  },
  {
    what: "an array with one broken payload",
    body: `[${good},{"deviceId":},${good}]`,
    status: 400,
    code: "broken_json",
    error: { index: 1, rule: "json" },
  },
  {
    what: "an array with one wrong envelope",
    body: `[${good},${missing}]`,
    status: 400,
    code: "wrong_envelope",
    error: { index: 1, field: "userId", rule: "required" },
  },
  {
    what: "NDJSON with a broken line",
    body: [good, "{", good].join("\n"),
    headers: ndjson,
    status: 400,
    code: "broken_json",
    error: { line: 2, rule: "json" },
  },
  {
    what: "NDJSON with a wrong envelope",
    body: [good, good, missing].join("\n"),
    headers: ndjson,
    status: 400,
    code: "wrong_envelope",
    error: { line: 3, field: "userId", rule: "required" },
  },
  {
    what: "an empty user",
    body: envelope({ userId: "" }),
    status: 400,
    code: "wrong_envelope",
    error: { field: "userId", rule: "non-empty" },
  },
  {
    what: "a number as device",
    body: envelope({ deviceId: 7 }),
    status: 400,
    code: "wrong_envelope",
    error: { field: "deviceId", rule: "string" },
  },
  {
    what: "a lone surrogate as user",
    body: `{"deviceId":"d","userId":"\\udc00x","samples":[]}`,
    status: 400,
    code: "wrong_envelope",
    error: { field: "userId", rule: "well-formed" },
  },
  {
    what: "samples that are an object",
    body: envelope({ samples: { length: 1 } }),
    status: 400,
    code: "wrong_envelope",
    error: { field: "samples", rule: "array" },
  },
  {
    what: "an envelope behind __proto__",
    body: `{"__proto__":{"deviceId":"d","userId":"refused","samples":[]}}`,
    status: 400,
    code: "wrong_envelope",
    error: { field: "deviceId", rule: "required" },
  },
  { what: "depth 1,000", body: nested(1_000), status: 400, code: "too_deep", error: { rule: "depth" } },
  { what: "depth 100,000", body: nested(100_000), status: 400, code: "too_deep", error: { rule: "depth" } },
  {
    what: "100,000 brackets that never close",
    body: "[".repeat(100_000),
    status: 400,
    code: "broken_json",
    error: { rule: "json" },
  },
  {
    what: "a million objects in each other",
    body: '{"a":'.repeat(800_000),
    status: 400,
    code: "broken_json",
    error: { rule: "json" },
  },
  { what: "bytes that are not UTF-8", body: notUtf8, status: 400, code: "invalid_utf8", error: { rule: "utf-8" } },
  {
    what: "a line that is not UTF-8",
    body: Buffer.concat([Buffer.from(`${good}\n`), notUtf8]),
    headers: ndjson,
    status: 400,
    code: "invalid_utf8",
    error: { line: 2, rule: "utf-8" },
  },
  { what: "UTF-16", body: Buffer.from(good, "utf16le"), status: 400, code: "broken_json", error: { rule: "json" } },
  {
    what: "a 10 MB body",
    body: Buffer.alloc(10_000_000, " "),
    status: 413,
    code: "too_large",
    error: { field: "body", rule: "size" },
  },
  {
    what: "a gzip bomb",
    body: gzipSync(Buffer.alloc(bombBytes)),
    headers: gzip,
    status: 413,
    code: "too_large",
    error: { field: "body", rule: "size" },
  },
  {
    what: "10,001 samples",
    body: envelope({ samples: Array(10_001).fill(0) }),
    status: 413,
    code: "too_many_records",
    error: { field: "samples", rule: "count" },
  },
  {
    what: "a gzip cut off",
    body: gzipSync(good).subarray(0, -12),
    headers: gzip,
    status: 400,
    code: "broken_gzip",
    error: { rule: "gzip" },
  },
  {
    what: "a gzip with a wrong checksum",
    body: wrongSum,
    headers: gzip,
    status: 400,
    code: "broken_gzip",
    error: { rule: "gzip" },
  },
  {
    what: "plain text called gzip",
    body: good,
    headers: gzip,
    status: 400,
    code: "broken_gzip",
    error: { rule: "gzip" },
  },
  {
    what: "gzip that nobody announced",
    body: gzipSync(good),
    status: 400,
    code: "invalid_utf8",
    error: { rule: "utf-8" },
  },
  {
    what: "an encoding that nobody knows",
    body: deflateSync(good),
    headers: { "content-encoding": "deflate" },
    status: 415,
    code: "unsupported_encoding",
    error: { field: "Content-Encoding", rule: "gzip" },
  },
  {
    what: "a wrong content type",
    body: good,
    headers: { "content-type": "text/csv" },
    status: 415,
    code: "unsupported_media_type",
    error: { field: "Content-Type" },
  },
  {
    what: "a wrong character set",
    body: good,
    headers: { "content-type": "application/json; charset=utf-16" },
    status: 415,
    code: "unsupported_media_type",
    error: { field: "Content-Type" },
  },
  ...["wealth", "__proto__", "constructor", "..%2fhealth", "health%00", "%E2%98%83"].map((dataset) => ({
    what: `the dataset ${dataset}`,
    body: good,
    dataset,
    status: 404,
    code: "unknown_dataset",
    error: { field: "dataset", rule: "known" },
  })),
];

const user = { user_id: "u" };
const daily = { ...user, data_type: "heartRate" };
/** What is asked, question, parameters, the field that the answer names. */
export const refusedQuestions: readonly [string, string, Record<string, unknown>, string][] = [
  ["an unknown parameter", "health.raw", { ...user, usr: "x" }, "usr"],
  ["__proto__ as a parameter", "health.raw", JSON.parse(`{"user_id":"u","__proto__":"x"}`), "__proto__"],
  ["no user", "health.raw", {}, "user_id"],
  ["an empty user", "health.raw", { user_id: "" }, "user_id"],
  ["a date that does not exist", "health.daily", { ...daily, start_date: "2026-02-30" }, "start_date"],
  ["a date that is none", "health.daily", { ...daily, end_date: "yesterday" }, "end_date"],
  [
    "a reversed range of dates",
    "health.daily",
    { ...daily, start_date: "2026-02-02", end_date: "2026-02-01" },
    "end_date",
  ],
  ["an instant without offset", "health.raw", { ...user, start_time: "2026-01-01T00:00:00" }, "start_time"],
  [
    "a reversed range of instants",
    "health.raw",
    { ...user, start_time: "2026-01-02T00:00:00Z", end_time: "2026-01-01T00:00:00Z" },
    "end_time",
  ],
  ["limit 0", "health.raw", { ...user, limit: 0 }, "limit"],
  ["limit 10,001", "health.raw", { ...user, limit: 10_001 }, "limit"],
  ["limit 1.5", "health.raw", { ...user, limit: 1.5 }, "limit"],
  ["limit 1e400", "health.raw", { ...user, limit: "1e400" }, "limit"],
  ["a cursor that is none", "health.raw", { ...user, cursor: "AAAA" }, "cursor"],
  ["a cursor of odd bytes", "health.errors", { cursor: "\u0000\u{1F600}" }, "cursor"],
  ["an error type that is none", "health.errors", { error_type: "oops" }, "error_type"],
  ["a year and last together", "health.weekly", { ...daily, year: 2026, last: 2 }, "last"],
  ["years that are none", "health.compare", { ...daily, years: "2025,x" }, "years"],
  ["a measure that is none", "health.top", { data_type: "heartRate", by: "value; DROP TABLE" }, "by"],
  ["a snapshot that is none", "health.raw", { ...user, snapshot_id: "1 OR 1=1" }, "snapshot_id"],
  ["a snapshot that is not there", "health.raw", { ...user, snapshot_id: "123456789" }, "snapshot_id"],
  ["a time of the past that is none", "health.raw", { ...user, as_of: "1999-01-01" }, "as_of"],
];
