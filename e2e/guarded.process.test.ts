/** A lake that asks for tokens: its own services reach each other, others by their scopes alone. */
import { Child, tempFolder, waitFor, writeTokenFile, type TempFolder } from "@firn/testing";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

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
let addresses: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await tempFolder("guarded");
  const tokens = writeTokenFile(folder.path, [
    { token: "sender", scopes: ["ingest"] },
    { token: "reader", scopes: ["query"] },
    { token: "engine", scopes: ["catalog_read"] },
    { token: "operator", scopes: ["admin"] },
  ]);
  const only = "nats,catalog,catalog-writer,validator,aggregator,query,ingest";
  const args = ["--no-sample", "--ports", "auto", "--data-dir", join(folder.path, "lake"), "--only", only];
  lake = new Child(process.execPath, [join(root, "tools", "start.mjs"), ...args], {
    cwd: root,
    env: { ...process.env, FIRN_TOKENS_FILE: tokens },
  });
  const endpoints = join(folder.path, "lake", "endpoints.json");
  await waitFor(() => existsSync(endpoints) || lake.hasExited, { limitMs: 90_000, what: "the start of the lake" });
  addresses = JSON.parse(readFileSync(endpoints, "utf8")) as typeof addresses;
}, 120_000);

afterAll(async () => {
  lake?.process.kill("SIGINT");
  await waitFor(() => lake.hasExited, { limitMs: 60_000, what: "the end of the lake" });
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
