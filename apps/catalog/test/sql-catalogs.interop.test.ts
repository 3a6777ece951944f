import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest, currentSnapshot } from "@firn/lake";
import { ensureIcebergFixture, ensurePostgresDriver, ensurePyIceberg } from "../../../tools/foreign-servers.mjs";
import { callCatalog } from "./http-call.ts";
import { STORAGES, startCatalog, type RunningCatalog, type Storage } from "./running-catalog.ts";

const run = promisify(execFile);
const FOREIGN = join(import.meta.dirname, "foreign");
const STEP_MS_MAX = 120_000;
const SHARED = { namespace: ["ns"], name: "shared" };
const VIEW = {
  name: "v",
  schema: { type: "struct", fields: [{ id: 1, name: "id", required: false, type: "long" }] },
  "view-version": {
    "version-id": 1,
    "timestamp-ms": 1_700_000_000_000,
    "schema-id": 0,
    representations: [{ type: "sql", sql: "select id from shared", dialect: "spark" }],
    "default-namespace": ["ns"],
  },
};

describe.each(STORAGES)("other SQL catalogs on the same database, %s", (_, open) => {
  let storage: Storage;
  let server: RunningCatalog;
  let catalog: RestCatalog;
  let name: string;
  let url: URL | undefined;
  beforeAll(async () => {
    storage = await open();
    const environment = storage.environment();
    name = environment["ICEBERG_CATALOG_NAME"] ?? "firn";
    const databaseUrl = environment["FIRN_CATALOG_DATABASE_URL"];
    url = databaseUrl === undefined ? undefined : new URL(databaseUrl);
    server = await startCatalog(environment);
    catalog = new RestCatalog({ uri: server.url });
    await catalog.createNamespace(["ns"], { owner: "firn" });
    await catalog.createNamespace(["a", "b"]);
    const columns = [{ name: "id", type: "long" as const, required: true }];
    const request = createTableRequest({ columns, identity: [], partition: [], sort: [], properties: {} });
    await catalog.createTable(SHARED, request);
    await catalog.createTable({ namespace: ["a", "b"], name: "nested" }, request);
    expect((await callCatalog(server.url, "POST", "/v1/namespaces/ns/views", VIEW)).status).toBe(200);
  });
  afterAll(async () => {
    await server?.close();
    await storage?.close();
  });

  it(
    "PyIceberg's SqlCatalog reads it and writes to it",
    async () => {
      const uri =
        url === undefined ? `sqlite:///${server.folder}/catalog.db` : url.href.replace(/^\w+:/, "postgresql+psycopg2:");
      const given = { uri, name, warehouse: `file://${server.warehouse}`, views: false };
      const python = run("python3", [join(FOREIGN, "sql_catalog.py")], {
        env: { ...process.env, PYTHONPATH: ensurePyIceberg() },
        timeout: STEP_MS_MAX,
      });
      python.child.stdin?.end(JSON.stringify(given));
      const found = JSON.parse((await python).stdout) as { namespaces: string[]; tables: Record<string, unknown> };
      const before = found.tables["ns.shared"] as { metadata_location: string; columns: string[] };
      expect(found.namespaces).toEqual(expect.arrayContaining(["ns"]));
      expect(Object.keys(found.tables)).toContain("ns.shared");
      expect(before.columns).toEqual(["id"]);

      const { metadata } = await catalog.loadTable(SHARED);
      expect(metadata.properties["pyiceberg"]).toBe("was here");
      expect(currentSnapshot(metadata)?.summary?.["total-records"]).toBe("3");
      expect(metadata["metadata-log"][0]?.["metadata-file"]).toBe(before.metadata_location);
      expect(await catalog.loadNamespace(["made_by_pyiceberg"])).toMatchObject({ owner: "pyiceberg" });
      const made = await catalog.loadTable({ namespace: ["made_by_pyiceberg"], name: "t" });
      expect(currentSnapshot(made.metadata)?.summary?.["total-records"]).toBe("2");
    },
    STEP_MS_MAX,
  );

  it(
    "Java's JdbcCatalog reads it, views too, and writes to it",
    async () => {
      const jdbc =
        url === undefined ? `jdbc:sqlite:${server.folder}/catalog.db` : `jdbc:postgresql://${url.host}${url.pathname}`;
      const args = [jdbc, url?.username ?? "", url?.password ?? "", name, `file://${server.warehouse}`];
      const classPath = [ensureIcebergFixture(), ensurePostgresDriver()].join(delimiter);
      const source = join(FOREIGN, "SqlCatalog.java");
      const quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error";
      const options = { timeout: STEP_MS_MAX };
      const { stdout } = await run("java", ["-Xmx512m", quiet, "-cp", classPath, source, ...args], options);
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => line.split("\t"));
      const of = (kind: string): string[] => lines.filter(([k]) => k === kind).map(([, entry]) => entry ?? "");
      expect(of("namespace")).toEqual(expect.arrayContaining(["ns", "a", "a.b"]));
      expect(of("table")).toEqual(expect.arrayContaining(["ns.shared", "a.b.nested"]));
      expect(lines).toContainEqual(["view", "ns.v", "select id from shared"]);
      expect(of("done")).toHaveLength(1);

      expect((await catalog.loadTable(SHARED)).metadata.properties["java"]).toBe("was here");
      expect(await catalog.loadNamespace(["made_by_java"])).toMatchObject({ owner: "java" });
      expect(await catalog.tableExists({ namespace: ["made_by_java"], name: "t" })).toBe(true);
      const view = await callCatalog(server.url, "GET", "/v1/namespaces/made_by_java/views/v");
      expect(view.body.metadata.versions[0].representations[0].sql).toBe("select n from t");
    },
    STEP_MS_MAX,
  );

  it("commits of ours go on after theirs", async () => {
    const updates = [{ action: "set-properties" as const, updates: { firn: "goes on" } }];
    const { metadata } = await catalog.commitTable(SHARED, { requirements: [], updates });
    expect(metadata.properties).toMatchObject({ pyiceberg: "was here", java: "was here", firn: "goes on" });
  });
});
