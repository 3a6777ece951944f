import { access, readFile, readdir, rm } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest, parseLakeJson, type TableUpdate } from "@firn/lake";
import { waitFor } from "@firn/testing";
import { callCatalog, type Answer, type Call } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

let server: RunningCatalog;
let catalog: RestCatalog;
beforeAll(async () => {
  server = await startCatalog();
  catalog = new RestCatalog({ uri: server.url });
  await catalog.createNamespace(["ns"]);
});
afterAll(() => server.close());

const call = (...request: Call): Promise<Answer> => callCatalog(server.url, ...request);

const SCHEMA = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };
const request = createTableRequest({
  columns: [{ name: "id", type: "long", required: true }],
  identity: [],
  partition: [],
  sort: [],
  properties: {},
});

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const pathOf = (location: string): string => location.replace("file://", "");

describe("loading", () => {
  it("answers 304 to a known ETag, and another tag for refs", async () => {
    await catalog.createTable({ namespace: ["ns"], name: "tagged" }, request);
    const first = await call("GET", "/v1/namespaces/ns/tables/tagged");
    const refs = await call("GET", "/v1/namespaces/ns/tables/tagged?snapshots=refs");
    expect(refs.etag).not.toBe(first.etag);
    for (const tag of [first.etag!, `W/${first.etag}`, `"x", ${first.etag}`, "*"]) {
      const known = await call("GET", "/v1/namespaces/ns/tables/tagged", undefined, { "if-none-match": tag });
      expect(known).toEqual({ status: 304, etag: first.etag, body: undefined });
    }
    const other = await call("GET", "/v1/namespaces/ns/tables/tagged", undefined, { "if-none-match": refs.etag! });
    expect(other.status).toBe(200);
  });

  it("answers HEAD with 204 or 404", async () => {
    await catalog.createTable({ namespace: ["ns"], name: "head" }, request);
    expect((await call("HEAD", "/v1/namespaces/ns/tables/head")).status).toBe(204);
    expect((await call("HEAD", "/v1/namespaces/ns/tables/tail")).status).toBe(404);
    expect((await call("HEAD", "/v1/namespaces/ns")).status).toBe(204);
    expect((await call("HEAD", "/v1/namespaces/nn")).status).toBe(404);
  });

  it("says which metadata file is gone", async () => {
    const table = await catalog.createTable({ namespace: ["ns"], name: "lost" }, request);
    const { etag } = await call("GET", "/v1/namespaces/ns/tables/lost");
    await rm(pathOf(table.metadataLocation));
    const known = await call("GET", "/v1/namespaces/ns/tables/lost", undefined, { "if-none-match": etag! });
    expect(known.status).toBe(404);
    expect(await call("GET", "/v1/namespaces/ns/tables/lost")).toMatchObject({
      status: 404,
      body: {
        error: {
          type: "NotFoundException",
          message: `Failed to open input stream for file: ${table.metadataLocation}`,
        },
      },
    });
  });

  it("pages lists on request only", async () => {
    await catalog.createNamespace(["pages"]);
    for (const name of ["a", "b", "c"]) await catalog.createTable({ namespace: ["pages"], name }, request);
    const all = await call("GET", "/v1/namespaces/pages/tables");
    expect(all.body.identifiers).toHaveLength(3);
    const first = await call("GET", "/v1/namespaces/pages/tables?pageToken=&pageSize=2");
    expect(first.body.identifiers.map((row: { name: string }) => row.name)).toEqual(["a", "b"]);
    const second = await call(
      "GET",
      `/v1/namespaces/pages/tables?pageSize=2&pageToken=${first.body["next-page-token"]}`,
    );
    expect(second.body).toEqual({ identifiers: [{ namespace: ["pages"], name: "c" }], "next-page-token": null });
    expect((await call("GET", "/v1/namespaces?pageToken=&pageSize=0")).status).toBe(400);
  });

  it("pages namespaces and views too, and goes on where a row has gone meanwhile", async () => {
    for (const name of ["p1", "p2", "p3"]) await catalog.createNamespace(["paged", name]);
    const list = (query: string) => call("GET", `/v1/namespaces?parent=paged&${query}`);
    const first = await list("pageToken=&pageSize=2");
    expect(first.body.namespaces).toEqual([
      ["paged", "p1"],
      ["paged", "p2"],
    ]);
    await catalog.dropNamespace(["paged", "p2"]);
    const second = await list(`pageSize=2&pageToken=${first.body["next-page-token"]}`);
    expect(second.body).toEqual({ namespaces: [["paged", "p3"]], "next-page-token": null });
    const view = {
      schema: { type: "struct", fields: [] },
      "view-version": {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        representations: [{ type: "sql", sql: "select 1", dialect: "spark" }],
        "default-namespace": ["paged"],
      },
    };
    for (const name of ["v2", "v1"]) await call("POST", "/v1/namespaces/paged/views", { name, ...view });
    const views = await call("GET", "/v1/namespaces/paged/views?pageToken=&pageSize=1");
    expect(views.body.identifiers).toEqual([{ namespace: ["paged"], name: "v1" }]);
    expect(views.body["next-page-token"]).toEqual(expect.any(String));
  });

  it("understands names with spaces, plus signs and other scripts, as Java and others encode them", async () => {
    await catalog.createTable({ namespace: ["ns"], name: "a+b c ü" }, request);
    expect((await call("HEAD", "/v1/namespaces/ns/tables/a%2Bb+c+%C3%BC")).status).toBe(204);
    expect((await call("HEAD", "/v1/namespaces/ns/tables/a%2Bb%20c%20%C3%BC")).status).toBe(204);
  });

  it("takes metrics reports", async () => {
    const report = await call("POST", "/v1/namespaces/ns/tables/tagged/metrics", { "report-type": "scan-report" });
    expect(report.status).toBe(204);
  });
});

describe("creating", () => {
  it("stages a table, which a commit then makes", async () => {
    const staged = await call("POST", "/v1/namespaces/ns/tables", {
      name: "staged",
      "stage-create": true,
      schema: SCHEMA,
    });
    expect(staged.status).toBe(200);
    expect(staged.body).not.toHaveProperty("metadata-location");
    expect((await call("HEAD", "/v1/namespaces/ns/tables/staged")).status).toBe(404);
    const { metadata } = staged.body;
    const updates: TableUpdate[] = [
      { action: "assign-uuid", uuid: metadata["table-uuid"] },
      { action: "upgrade-format-version", "format-version": 2 },
      { action: "add-schema", schema: metadata.schemas[0] },
      { action: "set-current-schema", "schema-id": -1 },
      { action: "set-location", location: metadata.location },
    ];
    const commit = { requirements: [{ type: "assert-create" as const }], updates };
    const made = await catalog.commitTable({ namespace: ["ns"], name: "staged" }, commit);
    expect(made.metadata["table-uuid"]).toBe(metadata["table-uuid"]);
    expect(made.metadataLocation).toContain("/metadata/00000-");
    await expect(catalog.commitTable({ namespace: ["ns"], name: "staged" }, commit)).rejects.toMatchObject({
      kind: "conflict",
      message: "Commit failed: Requirement failed: table already exists",
    });
  });

  it("registers a dropped table again from its metadata file", async () => {
    const table = await catalog.createTable({ namespace: ["ns"], name: "phoenix" }, request);
    await catalog.dropTable({ namespace: ["ns"], name: "phoenix" });
    const again = await catalog.registerTable({ namespace: ["ns"], name: "risen" }, table.metadataLocation);
    expect(again.metadata).toEqual(table.metadata);
  });
});

describe("metadata files", () => {
  it("are compressed and named as Java does when the table wants it", async () => {
    const gzip = { ...request, properties: { "write.metadata.compression-codec": "gzip" } };
    const table = await catalog.createTable({ namespace: ["ns"], name: "packed" }, gzip);
    expect(table.metadataLocation).toMatch(/\/00000-[0-9a-f-]{36}\.gz\.metadata\.json$/);
    const text = gunzipSync(await readFile(pathOf(table.metadataLocation))).toString("utf8");
    expect(parseLakeJson(text)).toMatchObject({ "table-uuid": table.metadata["table-uuid"] });
    await server.restart();
    const fresh = new RestCatalog({ uri: server.url });
    expect((await fresh.loadTable({ namespace: ["ns"], name: "packed" })).metadata).toEqual(table.metadata);
    catalog = fresh;
  });

  it("go when they leave the log, if the table wants it", async () => {
    const identifier = { namespace: ["ns"], name: "short" };
    const properties = {
      "write.metadata.delete-after-commit.enabled": "true",
      "write.metadata.previous-versions-max": "2",
    };
    let table = await catalog.createTable(identifier, { ...request, properties });
    const first = pathOf(table.metadataLocation);
    for (const value of ["1", "2", "3", "4"]) {
      const updates: TableUpdate[] = [{ action: "set-properties", updates: { value } }];
      table = await catalog.commitTable(identifier, { requirements: [], updates });
    }
    const folder = `${pathOf(table.metadata.location)}/metadata`;
    await waitFor(async () => (await readdir(folder)).length === 3, { limitMs: 5000 });
    expect(await exists(first)).toBe(false);
  });

  it("of a refused swap are deleted, and none is written for a refused commit", async () => {
    const identifier = { namespace: ["ns"], name: "clean" };
    const table = await catalog.createTable(identifier, request);
    const requirement = { type: "assert-table-uuid" as const, uuid: "00000000-0000-4000-8000-000000000000" };
    const updates: TableUpdate[] = [{ action: "set-properties", updates: { a: "b" } }];
    await expect(catalog.commitTable(identifier, { requirements: [requirement], updates })).rejects.toThrow("UUID");
    expect(await readdir(`${pathOf(table.metadata.location)}/metadata`)).toHaveLength(1);
  });

  it("all go with a purge", async () => {
    const identifier = { namespace: ["ns"], name: "purged" };
    const table = await catalog.createTable(identifier, request);
    await catalog.commitTable(identifier, {
      requirements: [],
      updates: [{ action: "set-properties", updates: { a: "b" } }],
    });
    await catalog.dropTable(identifier, { purge: true });
    expect(await readdir(`${pathOf(table.metadata.location)}/metadata`)).toEqual([]);
  });
});

describe("the database", () => {
  it("has the layout of JdbcCatalog V1, which other SQL catalogs read", async () => {
    const table = await catalog.createTable({ namespace: ["ns"], name: "layout" }, request);
    const after = await catalog.commitTable(
      { namespace: ["ns"], name: "layout" },
      {
        requirements: [],
        updates: [{ action: "set-properties", updates: { a: "b" } }],
      },
    );
    const db = new Database(`${server.folder}/catalog.db`, { readonly: true });
    const row = db.prepare("SELECT * FROM iceberg_tables WHERE table_name = 'layout'").get();
    const namespace = db.prepare("SELECT * FROM iceberg_namespace_properties WHERE namespace = 'ns'").all();
    db.close();
    expect(row).toMatchObject({
      catalog_name: "firn",
      table_namespace: "ns",
      table_name: "layout",
      metadata_location: after.metadataLocation,
      previous_metadata_location: table.metadataLocation,
      iceberg_type: "TABLE",
    });
    expect(namespace).toMatchObject([
      { catalog_name: "firn", namespace: "ns", property_key: "exists", property_value: "true" },
    ]);
  });

  it("may be written by another process: its commit is seen, and none is lost", async () => {
    const other = await startCatalog({
      ICEBERG_WAREHOUSE: server.warehouse,
      FIRN_CATALOG_DB: `${server.folder}/catalog.db`,
    });
    try {
      const twin = new RestCatalog({ uri: other.url });
      const identifier = { namespace: ["ns"], name: "shared" };
      await catalog.createTable(identifier, request);
      const sides = [catalog, twin];
      const commits = Array.from({ length: 20 }, (_, n) =>
        sides[n % 2]!.commitTable(identifier, {
          requirements: [],
          updates: [{ action: "set-properties", updates: { [`p${n}`]: "1" } }],
        }).then(
          () => n,
          () => undefined,
        ),
      );
      const landed = (await Promise.all(commits)).filter((n) => n !== undefined);
      const { metadata } = await twin.loadTable(identifier);
      expect(Object.keys(metadata.properties).filter((key) => /^p\d/.test(key))).toHaveLength(landed.length);
      expect(metadata["metadata-log"]).toHaveLength(landed.length);
      expect(landed.length).toBeGreaterThan(0);
    } finally {
      await other.close();
    }
  });
});
