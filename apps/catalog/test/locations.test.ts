import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest } from "@firn/lake";
import { callCatalog, type Answer, type Call } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

const SCHEMA = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };
const VIEW = {
  "version-id": 1,
  "timestamp-ms": 1,
  "schema-id": 0,
  representations: [{ type: "sql", sql: "select 1", dialect: "spark" }],
  "default-namespace": ["ns"],
};
const TABLE = { namespace: ["ns"], name: "inside" };

let server: RunningCatalog;
let outside: string[];
beforeAll(async () => {
  server = await startCatalog();
  const catalog = new RestCatalog({ uri: server.url });
  await catalog.createNamespace(["ns"]);
  const request = createTableRequest({ columns: [], identity: [], partition: [], sort: [], properties: {} });
  await catalog.createTable(TABLE, request);
  outside = await readdir(dirname(server.warehouse));
});
afterAll(() => server.close());

const call = (...request: Call): Promise<Answer> => callCatalog(server.url, ...request);

/** `WH` stands for the warehouse's path. */
const OUTSIDE = [
  "file:///etc/x",
  "/etc/x",
  "file:WH/../x",
  "file:///WH/../x",
  "file://WH/ns/../../x",
  "file://WH-evil/x",
  "file://WHevil/x",
  "file://WH",
  "file://WH/",
  "file://WH/.",
  "file://WH/%2e%2e/x",
  "file://WH/%2E%2E%2Fx",
  "file://WH/a%2f..%2f..%2fx",
  "file://WH/%252e%252e/x",
  "file://WH/%25252e%25252e/x",
  "file://WH/..%00/x",
  "file://WH/a%00/x",
  "file://WH/\uff0e\uff0e/x",
  "file://WH/\u2024\u2024/x",
  "file://WH/a\u2025/../x",
  "file://WH/\u2025/x",
  "file://WH/..\\..\\x",
  "file://WH/x?y",
  "file://WH/x#y",
  "file://WH/a\nb",
  "file://WH/a\u0000b",
  "file://evil.example/WH/x",
  "file://localhost@evil/WH/x",
  "FILE:///etc/x",
  "s3://bucket/x",
  "s3a://bucket/x",
  "https://evil.example/x",
  "jar:file:WH!/x",
  "hdfs:WH/x",
  "relative/x",
  "../x",
  "~/x",
  "",
];

const withWarehouse = (location: string): string => location.replaceAll("WH", server.warehouse);

describe("a place outside of the warehouse is refused", () => {
  it.each(OUTSIDE)("%j", async (text) => {
    const location = withWarehouse(text);
    const commit = (updates: unknown): unknown => ({ requirements: [], updates });
    const snapshot = (list: string): unknown => ({
      "snapshot-id": 5,
      "sequence-number": 1,
      "timestamp-ms": Date.now(),
      "manifest-list": list,
      summary: { operation: "append" },
    });
    const inside = "/v1/namespaces/ns/tables/inside";
    const tries: Call[] = [
      ["POST", "/v1/namespaces/ns/tables", { name: "x", schema: SCHEMA, location }],
      ["POST", "/v1/namespaces/ns/tables", { name: "x", schema: SCHEMA, location, "stage-create": true }],
      ["POST", "/v1/namespaces/ns/tables", { name: "x", schema: SCHEMA, properties: { "write.data.path": location } }],
      ["POST", "/v1/namespaces/ns/views", { name: "x", schema: SCHEMA, "view-version": VIEW, location }],
      ["POST", "/v1/namespaces", { namespace: ["x"], properties: { location } }],
      ["POST", "/v1/namespaces/ns/properties", { updates: { location } }],
      ["POST", "/v1/namespaces/ns/register", { name: "x", "metadata-location": location }],
      ["POST", "/v1/namespaces/ns/register-view", { name: "x", "metadata-location": location }],
      ["POST", inside, commit([{ action: "set-location", location }])],
      ["POST", inside, commit([{ action: "set-properties", updates: { "write.metadata.path": location } }])],
      ["POST", inside, commit([{ action: "add-snapshot", snapshot: snapshot(location) }])],
    ];
    for (const [method, path, body] of tries) {
      const answer = await call(method, path, body);
      expect([path, JSON.stringify(body).slice(0, 200), answer.status]).toEqual([path, expect.anything(), 400]);
      expect(answer.body.error.message).toMatch(/location|manifest-list|write\.|must not be empty/);
    }
    expect(await readdir(dirname(server.warehouse))).toEqual(outside);
  });

  it.each(["..", ".", "../x", "a/b", "a\\b", "", "a\u0000", "a\u001fb", "x".repeat(256)])(
    "the name %j",
    async (name) => {
      expect((await call("POST", "/v1/namespaces/ns/tables", { name, schema: SCHEMA })).status).toBe(400);
      const view = { name, schema: SCHEMA, "view-version": VIEW };
      expect((await call("POST", "/v1/namespaces/ns/views", view)).status).toBe(400);
      expect((await call("POST", "/v1/namespaces", { namespace: ["ok", name] })).status).toBe(400);
      const rename = { source: TABLE, destination: { namespace: ["ns"], name } };
      expect((await call("POST", "/v1/tables/rename", rename)).status).toBe(400);
    },
  );

  it.each(["%2e%2e", "\uff0e\uff0e", "...", "~", "$HOME", "a b", "CON"])("the name %j stays inside", async (name) => {
    const made = await call("POST", "/v1/namespaces/ns/tables", { name, schema: SCHEMA });
    expect(made.status).toBe(200);
    expect(made.body.metadata.location).toMatch(new RegExp(`^file://${server.warehouse}/ns/[A-Za-z0-9_.-]+$`));
  });

  it("a namespace tells where its tables go", async () => {
    const placed = `file://${server.warehouse}/elsewhere`;
    await call("POST", "/v1/namespaces", { namespace: ["plain"], properties: {} });
    await call("POST", "/v1/namespaces", { namespace: ["placed"], properties: { location: placed } });
    for (const [namespace, folder] of [
      ["plain", `file://${server.warehouse}/plain`],
      ["placed", placed],
    ]) {
      const { body } = await call("GET", `/v1/namespaces/${namespace}`);
      expect(body.properties.location).toBe(folder);
      const made = await call("POST", `/v1/namespaces/${namespace}/tables`, { name: "t", schema: SCHEMA });
      expect(made.body.metadata.location).toBe(`${folder}/t`);
    }
  });

  it.each(["file:WH/a", "file://WH//b", "WH/c", "file://localhost/WH/d", "file://WH/e%20f", "file://WH/ü.é/g"])(
    "%j lies inside",
    async (text) => {
      const location = withWarehouse(text).replace("localhost//", "localhost/");
      const body = { name: `ok${text.length}${text.at(-1)}`, schema: SCHEMA, location };
      expect((await call("POST", "/v1/namespaces/ns/tables", body)).status).toBe(200);
    },
  );
});
