import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import { ClientError } from "./client-error.ts";
import type { QuestionParameters, QuestionRow } from "./contract/registry.ts";
import { ingestClient } from "./ingest-client.ts";
import { plainParameters, queryClient } from "./query-client.ts";
import { parseRetryAfterMs } from "./retry.ts";

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}
interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

let server: Server | undefined;
afterEach(() => new Promise<void>((done) => (server === undefined ? done() : server.close(() => done()))));

/** A service that gives these replies in turn, the last one for ever. */
async function serve(replies: readonly Reply[]): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const reply = replies[Math.min(seen.length, replies.length - 1)]!;
      seen.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(reply.status, { connection: "close", ...reply.headers }).end(JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const problem = (status: number, code: string) => ({
  type: "about:blank",
  title: code,
  status,
  detail: `it is ${code}`,
  code,
});

describe("ingest client", () => {
  it("sends payloads as one JSON array and gives the receipt", async () => {
    const { url, seen } = await serve([{ status: 202, body: { receipt: "r1", payloads: 2 } }]);
    expect(await ingestClient(url).send("health", [{ a: 1 }, { a: 2 }])).toEqual({ receipt: "r1", payloads: 2 });
    expect(seen[0]).toMatchObject({ url: "/v1/ingest/health", headers: { "content-type": "application/json" } });
    expect(JSON.parse(seen[0]!.body.toString())).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it("gzips bodies from the given size on", async () => {
    const { url, seen } = await serve([{ status: 202, body: { receipt: "r", payloads: 1 } }]);
    const client = ingestClient(url, { gzipFromBytes: 10 });
    await client.sendLines("health", '{"a":1}\n{"a":2}\n');
    expect(seen[0]!.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(seen[0]!.body).toString()).toBe('{"a":1}\n{"a":2}\n');
  });

  it("waits as Retry-After says and tries again", async () => {
    const { url, seen } = await serve([
      { status: 503, body: problem(503, "broker_unavailable"), headers: { "retry-after": "7" } },
      { status: 202, body: { receipt: "r", payloads: 1 } },
    ]);
    const pauses: number[] = [];
    const client = ingestClient(url, {
      retry: { pauseMaxMs: 5 },
      onRetry: (setback) => pauses.push(setback.retryAfterMs!),
    });
    await client.send("health", [{}]);
    expect(pauses).toEqual([7000]);
    expect(seen).toHaveLength(2);
  });

  it("does not ask again what was refused, and names the field", async () => {
    const errors = [{ field: "userId", rule: "required", message: "userId is missing" }];
    const { url, seen } = await serve([{ status: 400, body: { ...problem(400, "invalid_envelope"), errors } }]);
    const failure = await ingestClient(url)
      .send("health", [{}])
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClientError);
    expect(failure).toMatchObject({ kind: "refused", status: 400, code: "invalid_envelope", errors });
    expect(seen).toHaveLength(1);
  });

  it("gives up after the attempts of its policy", async () => {
    const { url, seen } = await serve([{ status: 429, body: problem(429, "busy") }]);
    const client = ingestClient(url, { retry: { attemptsMax: 3, pauseFirstMs: 1 } });
    await expect(client.send("health", [{}])).rejects.toMatchObject({ kind: "unavailable", code: "busy" });
    expect(seen).toHaveLength(3);
  });

  it("stops at once when the caller aborts", async () => {
    const { url } = await serve([{ status: 503, body: problem(503, "busy") }]);
    const signal = AbortSignal.timeout(30);
    await expect(ingestClient(url).send("health", [{}], { signal })).rejects.toMatchObject({ kind: "aborted" });
  });

  it("says where nobody listens", async () => {
    const client = ingestClient("http://127.0.0.1:9", { retry: { attemptsMax: 1 } });
    await expect(client.send("health", [{}])).rejects.toMatchObject({ kind: "unavailable" });
  });
});

describe("query client", () => {
  it("follows the cursor to the end", async () => {
    const page = (cursor: string | null, n: number) => ({ status: 200, body: { data: [{ n }], page: { cursor } } });
    const { url, seen } = await serve([page("c1", 1), page(null, 2)]);
    const rows: unknown[] = [];
    for await (const row of queryClient(url).rows("health.raw", { user_id: "a+b &" })) rows.push(row);
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
    expect(new URL(seen[1]!.url, url).searchParams.get("cursor")).toBe("c1");
    expect(new URL(seen[1]!.url, url).searchParams.get("user_id")).toBe("a+b &");
  });

  it("does not wait for a damaged table", async () => {
    const { url, seen } = await serve([{ status: 503, body: problem(503, "table_unreadable") }]);
    await expect(queryClient(url).ask("health.types", { user_id: "u" })).rejects.toMatchObject({
      code: "table_unreadable",
    });
    expect(seen).toHaveLength(1);
  });

  it("writes lists and instants as the service reads them", () => {
    expect(plainParameters({ years: [2025, 2026], as_of: new Date(0), last: undefined })).toEqual({
      years: "2025,2026",
      as_of: "1970-01-01T00:00:00.000Z",
    });
  });

  it("types parameters and rows by the definitions", () => {
    expectTypeOf<QuestionParameters<"health.daily">["user_id"]>().toEqualTypeOf<string>();
    expectTypeOf<QuestionParameters<"health.daily">["last"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<QuestionParameters<"health.top">["period"]>().toEqualTypeOf<
      "daily" | "weekly" | "monthly" | undefined
    >();
    expectTypeOf<QuestionRow<"health.daily">["first_value"]>().toEqualTypeOf<number | null>();
    expectTypeOf<QuestionRow<"health.raw">["metadata"]>().toEqualTypeOf<Record<string, string> | null>();
    // @ts-expect-error user_id is required
    const missing: QuestionParameters<"health.types"> = {};
    expect(missing).toEqual({});
  });
});

it("reads Retry-After in seconds and as a date", () => {
  expect(parseRetryAfterMs("2", 0)).toBe(2000);
  expect(parseRetryAfterMs("Thu, 01 Jan 1970 00:00:05 GMT", 1000)).toBe(4000);
  expect(parseRetryAfterMs("soon", 0)).toBeUndefined();
});
