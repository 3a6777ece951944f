import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest, parseLakeJson } from "@firn/lake";
import { callCatalog, type Answer, type Call } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

let server: RunningCatalog;
beforeAll(async () => {
  server = await startCatalog();
  await new RestCatalog({ uri: server.url }).createNamespace(["ns"]);
});
afterAll(() => server.close());

const call = (...request: Call): Promise<Answer> => callCatalog(server.url, ...request);

const schema = (...names: string[]) => ({
  type: "struct",
  fields: names.map((name, index) => ({ id: index + 1, name, required: false, type: "long" })),
});

const version = (sql: string, dialects: readonly string[] = ["spark"], id = 1) => ({
  "version-id": id,
  "timestamp-ms": 1_700_000_000_000 + id,
  "schema-id": 0,
  summary: { engine: "tests" },
  representations: dialects.map((dialect) => ({ type: "sql", sql, dialect })),
  "default-namespace": ["ns"],
});

const create = (name: string, properties: Record<string, string> = {}): Promise<Answer> =>
  call("POST", "/v1/namespaces/ns/views", {
    name,
    schema: schema("id"),
    "view-version": version("select 1"),
    properties,
  });

const replace = (name: string, sql: string, id: number, dialects?: readonly string[]): Promise<Answer> =>
  call("POST", `/v1/namespaces/ns/views/${name}`, {
    requirements: [],
    updates: [
      { action: "add-schema", schema: schema("id", "x") },
      { action: "add-view-version", "view-version": { ...version(sql, dialects, id), "schema-id": -1 } },
      { action: "set-current-view-version", "view-version-id": -1 },
    ],
  });

describe("views", () => {
  it("are made, loaded, listed, renamed and dropped", async () => {
    const made = await create("first", { comment: "é" });
    expect(made).toMatchObject({
      status: 200,
      body: {
        metadata: {
          "format-version": 1,
          location: `file://${server.warehouse}/ns/first`,
          "current-version-id": 1,
          properties: { comment: "é" },
          versions: [{ "version-id": 1, "schema-id": 0, "default-namespace": ["ns"] }],
          "version-log": [{ "version-id": 1, "timestamp-ms": 1_700_000_000_001 }],
        },
      },
    });
    expect((await call("GET", "/v1/namespaces/ns/views/first")).body).toEqual(made.body);
    const stored = await readFile(made.body["metadata-location"].replace("file://", ""), "utf8");
    expect(parseLakeJson(stored)).toEqual(made.body.metadata);
    const tag = { "if-none-match": made.etag! };
    expect((await call("GET", "/v1/namespaces/ns/views/first", undefined, tag)).status).toBe(304);
    expect((await call("HEAD", "/v1/namespaces/ns/views/first")).status).toBe(204);
    expect((await call("DELETE", "/v1/namespaces/ns")).body.error.type).toBe("NamespaceNotEmptyException");
    const names = { source: { namespace: ["ns"], name: "first" }, destination: { namespace: ["ns"], name: "second" } };
    expect((await call("POST", "/v1/views/rename", names)).status).toBe(204);
    expect((await call("GET", "/v1/namespaces/ns/views")).body.identifiers).toEqual([
      { namespace: ["ns"], name: "second" },
    ]);
    expect((await call("DELETE", "/v1/namespaces/ns/views/second")).status).toBe(204);
    const gone = await call("GET", "/v1/namespaces/ns/views/second");
    expect(gone.body.error).toEqual({
      message: "View does not exist: ns.second",
      type: "NoSuchViewException",
      code: 404,
    });
    const again = { name: "third", "metadata-location": made.body["metadata-location"] };
    const registered = await call("POST", "/v1/namespaces/ns/register-view", again);
    expect(registered.body).toEqual(made.body);
  });

  it("keep their versions in number and in order", async () => {
    await create("versions", { "version.history.num-entries": "2" });
    await replace("versions", "select 2", 2);
    // A number that is taken gives way; a version that is there already is found again.
    expect((await replace("versions", "select 3", 2)).body.metadata["current-version-id"]).toBe(3);
    const { metadata } = (await replace("versions", "select 2", 9)).body;
    expect(metadata["current-version-id"]).toBe(2);
    expect(metadata.versions.map((one: { "version-id": number }) => one["version-id"])).toEqual([2, 3]);
    expect(metadata["version-log"].map((one: { "version-id": number }) => one["version-id"])).toEqual([2, 3, 2]);
    expect(metadata.schemas).toHaveLength(2);
  });

  it("keep their dialects unless they may lose them", async () => {
    await create("dialects");
    const lost = await replace("dialects", "select 2", 2, ["trino"]);
    expect(lost).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining("Cannot replace view due to loss of view dialects") } },
    });
    await call("POST", "/v1/namespaces/ns/views/dialects", {
      updates: [{ action: "set-properties", updates: { "replace.drop-dialect.allowed": "true" } }],
    });
    expect((await replace("dialects", "select 2", 2, ["trino"])).status).toBe(200);
  });

  it("are packed when they want it", async () => {
    const made = await create("packed", { "write.metadata.compression-codec": "gzip" });
    expect(made.body["metadata-location"]).toMatch(/\.gz\.metadata\.json$/);
    const bytes = await readFile(made.body["metadata-location"].replace("file://", ""));
    expect(parseLakeJson(gunzipSync(bytes).toString("utf8"))).toEqual(made.body.metadata);
    await server.restart();
    expect((await call("GET", "/v1/namespaces/ns/views/packed")).body).toEqual(made.body);
  });

  it("share names with tables, and say so", async () => {
    const catalog = new RestCatalog({ uri: server.url });
    const request = createTableRequest({ columns: [], identity: [], partition: [], sort: [], properties: {} });
    await catalog.createTable({ namespace: ["ns"], name: "table" }, request);
    await create("view");
    const messageOf = ({ body }: Answer): string => body.error.message;
    expect(messageOf(await create("table"))).toBe("Table with same name already exists: ns.table");
    await expect(catalog.createTable({ namespace: ["ns"], name: "view" }, request)).rejects.toMatchObject({
      kind: "already_exists",
      message: expect.stringContaining("View with same name already exists: ns.view"),
    });
    expect(messageOf(await create("view"))).toBe("View already exists: ns.view");
    const toTable = { source: { namespace: ["ns"], name: "view" }, destination: { namespace: ["ns"], name: "table" } };
    expect(messageOf(await call("POST", "/v1/views/rename", toTable))).toContain("Table already exists: ns.table");
    expect((await call("GET", "/v1/namespaces/ns/tables/view")).status).toBe(404);
    expect((await call("GET", "/v1/namespaces/ns/views/table")).status).toBe(404);
    expect((await catalog.listTables(["ns"])).map((one) => one.name)).toEqual(["table"]);
  });

  it.each<[string, unknown, string]>([
    ["no query", version("select 1", []), "a view needs at least one query"],
    [
      "two queries of a dialect",
      version("select 1", ["spark", "Spark"]),
      "Cannot add multiple queries for dialect spark",
    ],
    [
      "another type",
      { ...version(""), representations: [{ type: "java", sql: "", dialect: "x" }] },
      "only sql is supported",
    ],
    [
      "no namespace",
      { ...version("select 1"), "default-namespace": undefined },
      "view-version.default-namespace: is missing",
    ],
  ])("refuse %s", async (_, broken, message) => {
    const body = { name: "broken", schema: schema("id"), "view-version": broken };
    const answer = await call("POST", "/v1/namespaces/ns/views", body);
    expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(message) } } });
    expect((await call("HEAD", "/v1/namespaces/ns/views/broken")).status).toBe(404);
  });

  it("refuse a commit on another view, and a version that is not there", async () => {
    await create("asserted");
    const uuid = "00000000-0000-4000-8000-000000000000";
    const other = { requirements: [{ type: "assert-view-uuid", uuid }], updates: [] };
    expect(await call("POST", "/v1/namespaces/ns/views/asserted", other)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringMatching(/^Requirement failed: view UUID does not match/) } },
    });
    const nowhere = { updates: [{ action: "set-current-view-version", "view-version-id": 7 }] };
    expect((await call("POST", "/v1/namespaces/ns/views/asserted", nowhere)).body.error.message).toContain(
      "cannot set current version to unknown version: 7",
    );
  });
});
