import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { defineSettings } from "./settings.ts";
import { startService } from "./start-service.ts";
import type { Tracer } from "./tracer.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const demo = { name: "demo", summary: "", port: 0, settings: defineSettings({}), setup: async () => ({}) };

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly Record<string, unknown>[] }[];
  }[];
}

/** A collector on loopback that keeps what it is sent. */
async function startCollector() {
  const sent: { path: string; body: Sent }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      sent.push({ path: request.url ?? "", body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Sent });
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { sent, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const start = (env: Record<string, string>) =>
  startService(demo, { FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent", FIRN_DRAIN_MS: "2000", ...env });

test("spans of requests go to the collector and carry on the caller's trace, without what was asked", async () => {
  const { sent, url: endpoint } = await startCollector();
  const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await fetch(`${service.url}/api/nothing?user_id=anna`, { headers: { traceparent } });
  await fetch(`${service.url}/health/live`);
  await fetch(`${service.url}/metrics`);
  await service.close();
  expect(sent.map(({ path }) => path)).toEqual(["/v1/traces"]);
  const [group] = sent[0]!.body.resourceSpans;
  expect(group!.resource.attributes).toContainEqual({ key: "service.name", value: { stringValue: "firn-demo" } });
  const spans = group!.scopeSpans.flatMap((scope) => scope.spans);
  expect(spans.length).toBe(1);
  expect(spans[0]).toMatchObject({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    parentSpanId: "b7ad6b7169203331",
    name: "GET unknown",
    attributes: expect.arrayContaining([{ key: "http.response.status_code", value: { intValue: 404 } }]) as unknown,
  });
  expect(JSON.stringify(sent)).not.toContain("anna");
});

test("a collector that is away changes no answer, and the service ends", async () => {
  const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  expect((await fetch(`${service.url}/api/nothing`)).status).toBe(404);
  await service.close();
}, 20_000);

const origin = (n: number) => `00-0af7651916cd43dd8448eb211c8031${n}0-b7ad6b716920333${n}-01`;

test("work of many origins is a child of the first and linked to the others; the error's text stays here", async () => {
  const { sent, url: endpoint } = await startCollector();
  let tracer: Tracer | undefined;
  const service = await startService(
    { ...demo, setup: async (context) => ((tracer = context.tracer), {}) },
    { FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent", OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  );
  const span = tracer!.startSpan("commit", { origins: [origin(1), "garbage", origin(2), origin(3)] });
  expect(span.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c803110-[0-9a-f]{16}-01$/);
  span.end({ "firn.rows": 3 }, new RangeError("anna"));
  await service.close();
  const spans = sent.flatMap(({ body }) => body.resourceSpans.flatMap((one) => one.scopeSpans.flatMap((s) => s.spans)));
  expect(spans).toHaveLength(1);
  expect(spans[0]).toMatchObject({
    parentSpanId: "b7ad6b7169203331",
    links: [{ spanId: "b7ad6b7169203332" }, { spanId: "b7ad6b7169203333" }],
    status: { code: 2 },
    attributes: expect.arrayContaining([{ key: "error.type", value: { stringValue: "RangeError" } }]) as unknown,
  });
  expect(JSON.stringify(sent)).not.toContain("anna");
});

test("without a collector nothing is made", async () => {
  let tracer: Tracer | undefined;
  const off = await startService(
    { ...demo, setup: async (context) => ((tracer = context.tracer), {}) },
    { FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent" },
  );
  expect(tracer!.on).toBe(false);
  expect(tracer!.startSpan("commit", { origins: [origin(1)] }).traceparent).toBeUndefined();
  await off.close();
});
