/** A lake that asks for tokens: its own services reach each other, others by their scopes alone. */
import { Child, tempFolder, waitFor, writeTokenFile, type TempFolder } from "@firn/testing";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startOtlpCollector, type CollectedSpan, type OtlpCollector } from "./support/otlp-collector.ts";

const root = join(import.meta.dirname, "..");
const payload = {
  deviceId: "d1",
  userId: "anna",
  samples: [
    {
      id: "s1",
      type: "heartRate",
      value: 61,
      unit: "count/min",
      startDate: "2026-01-05T10:00:00Z",
      endDate: "2026-01-05T10:00:05Z",
      sourceBundle: "com.apple.health",
    },
  ],
};

let folder: TempFolder;
let lake: Child;
let collector: OtlpCollector;
let addresses: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await tempFolder("guarded");
  const tokens = writeTokenFile(folder.path, [
    { token: "sender", scopes: ["ingest"] },
    { token: "reader", scopes: ["query"] },
    { token: "engine", scopes: ["catalog_read"] },
    { token: "operator", scopes: ["admin"] },
  ]);
  collector = await startOtlpCollector();
  const only = "nats,catalog,catalog-writer,validator,aggregator,query,ingest";
  const args = ["--no-sample", "--ports", "auto", "--data-dir", join(folder.path, "lake"), "--only", only];
  lake = new Child(process.execPath, [join(root, "tools", "start.mjs"), ...args], {
    cwd: root,
    env: {
      ...process.env,
      FIRN_TOKENS_FILE: tokens,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: "200",
    },
  });
  const endpoints = join(folder.path, "lake", "endpoints.json");
  await waitFor(() => existsSync(endpoints) || lake.hasExited, { limitMs: 90_000, what: "the start of the lake" });
  addresses = JSON.parse(readFileSync(endpoints, "utf8")) as typeof addresses;
}, 120_000);

afterAll(async () => {
  lake?.process.kill("SIGINT");
  await waitFor(() => lake.hasExited, { limitMs: 60_000, what: "the end of the lake" });
  collector?.close();
  await folder.remove();
}, 90_000);

function firn(token: string, ...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const env = { ...process.env, FIRN_TOKEN: token, ICEBERG_CATALOG_TOKEN: token };
  const dataDir = ["--data-dir", join(folder.path, "lake")];
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, "firn.mjs"), ...args, ...dataDir], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }),
    );
  });
}

const status = async (url: string, token?: string): Promise<number> =>
  (await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })).status;

it("answers by scope, and what is sent with a token arrives in every table", async () => {
  const file = join(folder.path, "health.ndjson");
  await writeFile(file, `${JSON.stringify(payload)}\n`);
  const refused = await firn("reader", "replay", file, "--no-resume");
  expect(refused.output).toContain("scope ingest");
  expect(refused.code).toBe(3);
  expect(await firn("sender", "replay", file, "--no-resume")).toMatchObject({ code: 0 });

  expect(await firn("reader", "status", "--wait")).toMatchObject({ code: 0 });
  expect((await firn("sender", "status")).code).not.toBe(0);
  expect(await firn("operator", "verify")).toMatchObject({ code: 0 });

  const question = `${addresses.query}/api/health/types?user_id=anna`;
  expect(await status(question)).toBe(401);
  expect(await status(question, "sender")).toBe(403);
  expect(await status(question, "reader")).toBe(200);
  const namespaces = `${addresses.catalog}/v1/namespaces`;
  expect(await status(namespaces)).toBe(401);
  expect(await status(namespaces, "engine")).toBe(200);
  const own = readFileSync(join(folder.path, "lake", "state", "tokens.json"), "utf8");
  expect(own).toMatch(/"sha256": "[0-9a-f]{64}"/);
}, 120_000);

/** Every metric of Firn that the services show, by name. */
async function scrape(): Promise<string> {
  const urls = Object.entries(addresses).filter(([name, url]) => SERVICES.includes(name) && url !== null);
  expect(urls.length).toBe(SERVICES.length);
  const pages = await Promise.all(urls.map(async ([, url]) => (await fetch(`${url}/metrics`)).text()));
  return pages.join("\n");
}

const SERVICES = ["ingest", "query", "catalog", "validator", "aggregator", "catalog-writer"];

it("shows the metrics that docs/telemetry.md lists, all of them, with values and without ids of people", async () => {
  await waitFor(async () => /complete_through_timestamp_seconds\{table="health_data_raw"\}/.test(await scrape()), {
    limitMs: 30_000,
    what: "the freshness of raw",
  });
  const page = await scrape();
  const shown = new Set([...page.matchAll(/^# TYPE (firn_\w+)/gm)].map(([, name]) => name));
  const text = readFileSync(join(root, "docs", "telemetry.md"), "utf8");
  const listed = new Set([...text.matchAll(/^\| .*$/gm)].flatMap(([row]) => row.match(/`firn_\w+`/g) ?? []));
  const documented = [...listed]
    .map((name) => name.replaceAll("`", ""))
    .filter((name) => !/_market_|_kafka_/.test(name));
  expect([...shown].sort()).toEqual(documented.sort());

  const value = (sample: string) =>
    Number(
      page
        .split("\n")
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length),
    );
  expect(value('firn_ingest_records_total{dataset="health"}')).toBe(1);
  expect(value('firn_pipeline_records{dataset="health",outcome="stored"}')).toBe(1);
  expect(value('firn_pipeline_lag_messages{stage="intake"}')).toBe(0);
  expect(value('firn_writer_table_data_files{table="health_data_raw"}')).toBe(1);
  expect(value('firn_writer_table_records{table="health_data_raw"}')).toBe(1);
  expect(value('firn_writer_bytes_total{table="health_data_raw"}')).toBeGreaterThan(500);
  expect(value('firn_query_read_bytes_total{question="health.types"}')).toBeGreaterThan(0);
  expect(value('firn_query_cost_usd_total{question="health.types"}')).toBeGreaterThan(0);
  expect(value('firn_writer_last_commit_timestamp_seconds{table="health_data_raw"}')).toBeGreaterThan(1.7e9);
  expect(page).not.toContain("anna");
}, 60_000);

/** The way of a request by the names of its spans: service, name and table of each span up to the root. */
function wayOf(leaf: CollectedSpan): string[] {
  const way: string[] = [];
  let span: CollectedSpan | undefined = leaf;
  while (span !== undefined) {
    const table = span.attributes.find(({ key }) => key === "firn.table")?.value["stringValue"];
    way.unshift([span.service, span.name, table].filter((part) => part !== undefined).join(" "));
    const parentSpanId: string | undefined = span.parentSpanId;
    span = collector.spans.find((one) => one.spanId === parentSpanId);
  }
  return way;
}

it("makes one trace of a request, from HTTP through the streams to the snapshots of raw and of the months", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const sent = await fetch(`${addresses.ingest}/v1/ingest/health`, {
    method: "POST",
    headers: { authorization: "Bearer sender", "content-type": "application/json", traceparent },
    body: JSON.stringify({ ...payload, samples: [{ ...payload.samples[0], id: "s2", value: 64 }] }),
  });
  expect(sent.status).toBe(202);
  const ours = () => collector.spans.filter(({ traceId }) => traceId === traceparent.split("-")[1]);
  const commitTo = (table: string) =>
    ours().find((span) => wayOf(span).at(-1) === `firn-catalog-writer commit ${table}`);
  await waitFor(() => commitTo("health_data_monthly_agg") !== undefined, {
    limitMs: 60_000,
    what: "the span of the commit of months",
  });
  const toRaw = [
    "firn-ingest POST /v1/ingest/:dataset",
    "firn-ingest append INTAKE",
    "firn-validator validate",
    "firn-catalog-writer commit health_data_raw",
  ];
  const toDays = [...toRaw, "firn-aggregator round", "firn-catalog-writer commit health_data_daily_agg"];
  expect(wayOf(commitTo("health_data_raw")!)).toEqual(toRaw);
  expect(wayOf(commitTo("health_data_daily_agg")!)).toEqual(toDays);
  expect(wayOf(commitTo("health_data_monthly_agg")!)).toEqual([
    ...toDays,
    "firn-aggregator round",
    "firn-catalog-writer commit health_data_monthly_agg",
  ]);
  const ids = JSON.stringify(commitTo("health_data_raw")!.attributes);
  const history = await (
    await fetch(`${addresses.catalog}/v1/namespaces/health_db/tables/health_data_raw`, {
      headers: { authorization: "Bearer engine" },
    })
  ).text();
  expect(history).toContain(/"firn\.snapshot_id","value":\{"stringValue":"(\d+)"/.exec(ids)![1]!);
  expect(JSON.stringify(collector.spans)).not.toContain("anna");
}, 120_000);
