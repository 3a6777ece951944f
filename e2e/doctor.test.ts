/** `firn doctor` over servers that run: nothing on a healthy set, and each of the faults that are planted. */
import { createServer, type Server } from "node:http";
import { createServer as createSocket } from "node:net";
import type { AddressInfo } from "node:net";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { streams } from "@firn/core";
import { migrateDatabase, RelationalDatabase } from "@firn/relational";
import { startService, type RunningService } from "@firn/service";
import { connectStreams, intakeLog, rollupLog, validatedLog } from "@firn/stream";
import {
  startNatsServer,
  startPostgres,
  tempFolder,
  writeTokenFile,
  type NatsServer,
  type PostgresServer,
  type TempFolder,
} from "@firn/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { catalogService } from "../apps/catalog/src/catalog-service.ts";
import type { Check } from "../apps/cli/src/doctor/check.ts";
import { diagnoseLake, diagnoseStart } from "../apps/cli/src/doctor/diagnose.ts";
import { thisMachine, type ProbeWorld } from "../apps/cli/src/doctor/probe-world.ts";
import type { Lake } from "../apps/cli/src/lake-location.ts";
import { runFirn } from "../apps/cli/src/program.ts";
import { ingestService } from "../apps/ingest/src/ingest-service.ts";

const quiet = { FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent", FIRN_DRAIN_MS: "500" };

let folder: TempFolder;
let nats: NatsServer;
let postgres: PostgresServer;
let catalog: RunningService;
let ingest: RunningService;
let healthy: Lake["endpoints"];
const closing: (() => unknown)[] = [];

const startCatalog = (name: string, environment: Record<string, string> = {}) =>
  startService(catalogService, {
    ...quiet,
    FIRN_DATA_DIR: join(folder.path, name),
    ICEBERG_WAREHOUSE: join(folder.path, name, "warehouse"),
    ...environment,
  });

beforeAll(async () => {
  folder = await tempFolder("doctor");
  [nats, postgres] = await Promise.all([
    startNatsServer({ dir: join(folder.path, "nats") }),
    startPostgres({ dir: join(folder.path, "postgres") }),
  ]);
  await migrateDatabase({ databaseUrl: postgres.databaseUrl });
  catalog = await startCatalog("catalog");
  ingest = await startService(ingestService, { ...quiet, NATS_URL: nats.url });
  await makeStreams(nats.url);
  healthy = {
    nats: nats.url,
    nats_monitor: nats.monitorUrl,
    catalog: catalog.url,
    warehouse: join(folder.path, "catalog", "warehouse"),
    database: postgres.databaseUrl,
    ingest: ingest.url,
  };
}, 60_000);
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await ingest?.close();
  await catalog?.close();
  await postgres?.stop();
  await nats?.stop();
  await folder?.remove();
}, 30_000);

async function makeStreams(url: string): Promise<void> {
  const connection = await connectStreams({ url, name: "test" });
  await connection.openLog(intakeLog({ shards: 4, replicas: 1 }));
  await connection.openLog(validatedLog({ replicas: 1 }));
  await connection.openLog(rollupLog({ replicas: 1 }));
  await connection.close();
}

const diagnose = (changes: Lake["endpoints"] = {}, world: Partial<ProbeWorld> = {}) =>
  diagnoseLake({ dataDir: folder.path, endpoints: { ...healthy, ...changes } }, { ...thisMachine, ...world });

/** The checks that are not well, by name; each says what to do. */
function failures(checks: readonly Check[]): Record<string, string> {
  const failed = checks.filter(({ ok }) => !ok);
  for (const { fix, message } of failed) expect(`${fix}${message}`, message).toMatch(/^[A-Zn].{10,}/s);
  return Object.fromEntries(failed.map(({ name, message }) => [name, message]));
}

/** A server on loopback that answers every path by `answer`. */
async function fakeServer(answer: (path: string) => { body: string; headers?: Record<string, string> }) {
  const server: Server = createServer((request, response) => {
    const { body, headers = {} } = answer(request.url ?? "/");
    response.writeHead(200, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The monitoring page of the NATS server with a part of it changed. */
async function changedMonitor(change: (page: Record<string, unknown>, path: string) => void): Promise<string> {
  const read = async (path: string) => (await (await fetch(nats.monitorUrl + path)).json()) as Record<string, unknown>;
  const pages = new Map<string, Record<string, unknown>>();
  for (const path of ["/varz", "/jsz?streams=1&config=1"]) pages.set(path, await read(path));
  for (const [path, page] of pages) change(page, path.slice(1, 4));
  return fakeServer((path) => ({ body: JSON.stringify(pages.get(path) ?? {}) }));
}

describe("a healthy set", () => {
  it("has nothing to mend, and no probe stays behind", async () => {
    const checks = await diagnose();
    expect(failures(checks)).toEqual({});
    const names = checks.map(({ name }) => name);
    for (const name of ["nats", "nats-version", "nats-sync", "nats-payload", "nats-space", "nats-streams"])
      expect(names).toContain(name);
    for (const name of ["catalog", "catalog-write", "warehouse", "postgres", "postgres-migrations"])
      expect(names).toContain(name);
    for (const name of ["service-ingest", "service-catalog", "clocks", "time-zones", "space"])
      expect(names).toContain(name);
    const warehouse = healthy.warehouse as string;
    expect(existsSync(warehouse) ? readdirSync(warehouse, { recursive: true }) : []).toEqual([]);
    const { namespaces } = (await (await fetch(`${catalog.url}/v1/namespaces`)).json()) as { namespaces: unknown };
    expect(namespaces).toEqual([]);
  });
});

describe("a planted fault is found, and no other is", () => {
  it("a NATS server that was stopped", async () => {
    const other = await startNatsServer({ dir: join(folder.path, "stopped") });
    await other.stop();
    const found = failures(await diagnose({ nats: other.url, nats_monitor: other.monitorUrl }));
    expect(found["nats"]).toContain("no nats-server at");
    expect(Object.keys(found).every((name) => name.startsWith("nats"))).toBe(true);
  }, 20_000);

  it("a NATS server that does not sync", async () => {
    const other = await startNatsServer({ dir: join(folder.path, "unsynced"), syncAlways: false });
    closing.push(() => other.stop());
    await makeStreams(other.url);
    const found = failures(await diagnose({ nats: other.url, nats_monitor: other.monitorUrl }));
    expect(found).toEqual({ "nats-sync": expect.stringContaining("not synced") as string });
  });

  it("a NATS server without room, whose messages end early", async () => {
    const small = { maxFileBytes: 64 * 1024 ** 2, maxPayload: 1024 ** 2 };
    const other = await startNatsServer({ dir: join(folder.path, "small"), ...small });
    closing.push(() => other.stop());
    const found = failures(await diagnose({ nats: other.url, nats_monitor: other.monitorUrl }));
    expect(Object.keys(found).sort()).toEqual(["nats-payload", "nats-space", "nats-streams"]);
    expect(found["nats-streams"]).toContain(`${streams.intake} is not there`);
  });

  it("a NATS server that is too old", async () => {
    const monitor = await changedMonitor((page) => void (page["version"] = "2.10.22"));
    expect(failures(await diagnose({ nats_monitor: monitor }))).toEqual({
      "nats-version": "version 2.10.22 is older than 2.15.0",
    });
  });

  it("a stream that is nearly full", async () => {
    const monitor = await changedMonitor((page, path) => {
      if (path !== "jsz") return;
      const [account] = page["account_details"] as { stream_detail: Record<string, unknown>[] }[];
      const intake = account!.stream_detail.find(({ name }) => name === streams.intake)!;
      intake["config"] = { ...(intake["config"] as object), max_bytes: 1000, discard: "new" };
      intake["state"] = { bytes: 950 };
    });
    expect(failures(await diagnose({ nats_monitor: monitor }))).toEqual({
      "nats-streams": "INTAKE 950 of 1000 bytes",
    });
  });

  it("sync that cannot be seen", async () => {
    const found = failures(await diagnose({ nats_monitor: undefined } as unknown as Lake["endpoints"]));
    expect(Object.keys(found)).toEqual(["nats-sync"]);
  });

  it("a warehouse that is another than the catalog's", async () => {
    const found = failures(await diagnose({ warehouse: join(folder.path, "elsewhere") }));
    expect(found).toEqual({ "catalog-write": expect.stringContaining("outside of the warehouse") as string });
  });

  it("a warehouse that cannot be written", async () => {
    // Read-only for everybody, also for root.
    const warehouse = "/sys";
    const broken = await startCatalog("broken", { ICEBERG_WAREHOUSE: warehouse });
    closing.push(() => broken.close());
    const found = failures(await diagnose({ catalog: broken.url, warehouse }, { freeBytes: async () => 2 ** 40 }));
    expect(Object.keys(found).sort()).toEqual(["catalog-write", "warehouse"]);
    expect(found["catalog-write"]).toContain("a table cannot be made");
    expect(found["warehouse"]).toContain("put failed");
  });

  it("a catalog that may only be read, and one that asks for a token", async () => {
    const tokens = writeTokenFile(folder.path, [{ token: "reader", scopes: ["catalog_read"] }]);
    const guarded = await startCatalog("guarded", { FIRN_TOKENS_FILE: tokens });
    closing.push(() => guarded.close());
    const changes = { catalog: guarded.url, warehouse: join(folder.path, "guarded", "warehouse") };
    expect(Object.keys(failures(await diagnose(changes)))).toEqual(["catalog"]);
    vi.stubEnv("ICEBERG_CATALOG_TOKEN", "reader");
    const found = failures(await diagnose(changes));
    expect(found).toEqual({ "catalog-write": expect.stringContaining("a namespace cannot be made") as string });
  });

  it("a clock that is an hour off, and another time-zone database", async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const query = await fakeServer(() => ({
      body: 'firn_build_info{service="query",version="1",node="22.0.0",time_zones="2019c"} 1\n',
      headers: { date },
    }));
    const found = failures(await diagnose({ query }));
    expect(Object.keys(found).sort()).toEqual(["clocks", "time-zones"]);
    expect(found["clocks"]).toMatch(/^the clock of query is (3599|3600|3601) s behind of this one$/);
    expect(found["time-zones"]).toContain("2019c in query");
  });

  it("a clock of this machine that is an hour off", async () => {
    const found = failures(await diagnose({}, { nowMs: () => Date.now() + 3_600_000 }));
    expect(Object.keys(found)).toEqual(["clocks"]);
  });

  it("a disk that is full", async () => {
    const found = failures(await diagnose({}, { freeBytes: async () => 200 * 1024 ** 2 }));
    expect(found).toEqual({ space: expect.stringContaining("0.2 GiB free at") as string });
  });

  it("a database without its migrations, and one that is away", async () => {
    const database = new RelationalDatabase({ databaseUrl: postgres.databaseUrl, name: "test" });
    await database.query("CREATE DATABASE empty");
    await database.close();
    const empty = new URL(postgres.databaseUrl);
    empty.pathname = "/empty";
    const missing = failures(await diagnose({ database: empty.href }));
    expect(missing).toEqual({ "postgres-migrations": expect.stringContaining("relations") as string });
    expect(failures(await diagnose({ database: "postgres://firn:hidden@127.0.0.1:1/postgres" }))).toEqual({
      postgres: expect.not.stringContaining("hidden") as string,
    });
  });

  it("a service that is away", async () => {
    expect(Object.keys(failures(await diagnose({ validator: "http://127.0.0.1:1" })))).toEqual(["service-validator"]);
  });
});

describe("with nothing running", () => {
  const ports = Object.fromEntries(
    ["INGEST", "QUERY", "VALIDATOR", "AGGREGATOR", "CATALOG_WRITER", "MARKET", "CATALOG", "DATABASE", "NATS"].map(
      (name, at) => [`FIRN_${name}_PORT`, String(28_100 + at)],
    ),
  );
  const environment = () => ({ ...process.env, ...ports, FIRN_NATS_MONITOR_PORT: "28190" });
  const start = (changes: Record<string, string> = {}, world: Partial<ProbeWorld> = {}) =>
    diagnoseStart(join(folder.path, "new-lake"), { ...environment(), ...changes }, { ...thisMachine, ...world });

  it("a machine that has all is well", async () => {
    const checks = await start();
    expect(failures(checks)).toEqual({});
    expect(checks.map(({ name }) => name)).toEqual(["node", "nats-server", "data-dir", "space", "ports"]);
  });

  it("a port that is taken", async () => {
    const server = createSocket();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const found = failures(await start({ FIRN_QUERY_PORT: String(port) }));
    expect(found).toEqual({ ports: `127.0.0.1:${port} is taken by another process (query, FIRN_QUERY_PORT)` });
    expect(failures(await start({ FIRN_QUERY_PORT: "28100" }))["ports"]).toContain("are both 28100");
  });

  it("no tool, no room and no folder", async () => {
    const noTools = { PATH: "", NATS_SERVER_BIN: "", FIRN_CACHE_DIR: join(folder.path, "no-cache") };
    expect(failures(await start(noTools, { freeBytes: async () => 0 }))).toEqual({
      "nats-server": expect.stringContaining("2.15.0 or newer") as string,
      space: expect.stringContaining("0.0 GiB") as string,
    });
    writeFileSync(join(folder.path, "file"), "not a folder");
    const checks = await diagnoseStart(join(folder.path, "file", "lake"), environment(), thisMachine);
    expect(Object.keys(failures(checks))).toEqual(["data-dir"]);
  });

  it("prints JSON, and the exit code tells", async () => {
    const written: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
    for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value);
    const args = ["doctor", "--json", "--data-dir", join(folder.path, "new-lake")];
    const code = await runFirn(args);
    vi.stubEnv("FIRN_QUERY_PORT", "no port");
    const refused = await runFirn(args);
    vi.restoreAllMocks();
    process.exitCode = 0;
    const [good, bad] = written.map((text) => JSON.parse(text) as { ok: boolean; checks: Check[] });
    expect([code, good!.ok, refused, bad!.ok]).toEqual([0, true, 1, false]);
    for (const each of good!.checks) expect(Object.keys(each)).toEqual(["name", "ok", "message", "fix"]);
  });
});
