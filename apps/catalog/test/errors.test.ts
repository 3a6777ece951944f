import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog } from "@firn/lake";
import { callCatalog, type Answer, type Call } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

const SCHEMA = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };

let server: RunningCatalog;
beforeAll(async () => {
  server = await startCatalog({ FIRN_CATALOG_BODY_BYTES_MAX: "65536" });
  await new RestCatalog({ uri: server.url }).createNamespace(["ns"]);
});
afterAll(() => server.close());

const call = (...request: Call): Promise<Answer> => callCatalog(server.url, ...request);

describe("errors", () => {
  const commit = (updates: unknown): unknown => ({ requirements: [], updates });
  it.each<[string, string, string, unknown, number, string, string]>([
    [
      "a missing namespace",
      "GET",
      "/v1/namespaces/none",
      undefined,
      404,
      "NoSuchNamespaceException",
      "Namespace does not exist: none",
    ],
    [
      "a missing nested namespace",
      "GET",
      "/v1/namespaces/a%1Fb",
      undefined,
      404,
      "NoSuchNamespaceException",
      "Namespace does not exist: a.b",
    ],
    [
      "a missing table",
      "GET",
      "/v1/namespaces/ns/tables/none",
      undefined,
      404,
      "NoSuchTableException",
      "Table does not exist: ns.none",
    ],
    [
      "a namespace that is there",
      "POST",
      "/v1/namespaces",
      { namespace: ["ns"] },
      409,
      "AlreadyExistsException",
      "Namespace already exists: ns",
    ],
    ["broken JSON", "POST", "/v1/namespaces", `{"namespace":[`, 400, "BadRequestException", "not valid JSON"],
    ["a body that is no object", "POST", "/v1/namespaces", "[]", 400, "BadRequestException", "body: must be an object"],
    ["no body", "POST", "/v1/namespaces", undefined, 400, "BadRequestException", "body: is missing"],
    [
      "an empty namespace",
      "POST",
      "/v1/namespaces",
      { namespace: [] },
      400,
      "BadRequestException",
      "namespace: must have at least one level",
    ],
    [
      "a namespace that climbs",
      "POST",
      "/v1/namespaces",
      { namespace: [".."] },
      400,
      "BadRequestException",
      "namespace: must not be . or ..",
    ],
    [
      "a number as property",
      "POST",
      "/v1/namespaces",
      { namespace: ["x"], properties: { a: 1 } },
      400,
      "BadRequestException",
      "properties.a: must be a string",
    ],
    [
      "a namespace outside",
      "POST",
      "/v1/namespaces",
      { namespace: ["x"], properties: { location: "file:///etc" } },
      400,
      "BadRequestException",
      "properties.location: the location is outside the warehouse",
    ],
    [
      "a table that climbs",
      "POST",
      "/v1/namespaces/ns/tables",
      { name: "../x", schema: SCHEMA },
      400,
      "BadRequestException",
      "name: must not be . or .. and not hold a slash",
    ],
    [
      "a table outside",
      "POST",
      "/v1/namespaces/ns/tables",
      { name: "x", schema: SCHEMA, location: "file:///etc/x" },
      400,
      "BadRequestException",
      "location: the location is outside the warehouse",
    ],
    [
      "a data path outside",
      "POST",
      "/v1/namespaces/ns/tables",
      { name: "x", schema: SCHEMA, properties: { "write.data.path": "s3://other/x" } },
      400,
      "BadRequestException",
      "properties.write.data.path: the location is outside the warehouse",
    ],
    ["no schema", "POST", "/v1/namespaces/ns/tables", { name: "x" }, 400, "BadRequestException", "schema: is missing"],
    [
      "an unknown type",
      "POST",
      "/v1/namespaces/ns/tables",
      { name: "x", schema: { type: "struct", fields: [{ id: 1, name: "a", required: true, type: "lon" }] } },
      400,
      "BadRequestException",
      "schema.fields[0].type: unknown type",
    ],
    [
      "a commit to nowhere",
      "POST",
      "/v1/namespaces/ns/tables/none",
      commit([]),
      404,
      "NoSuchTableException",
      "Table does not exist: ns.none",
    ],
    [
      "an unknown update",
      "POST",
      "/v1/namespaces/ns/tables/none",
      commit([{ action: "explode" }]),
      400,
      "BadRequestException",
      "updates[0].action",
    ],
    [
      "a metadata file outside",
      "POST",
      "/v1/namespaces/ns/register",
      { name: "x", "metadata-location": "file:///etc/passwd" },
      400,
      "BadRequestException",
      "metadata-location: the location is outside the warehouse",
    ],
    [
      "a path that does not decode",
      "GET",
      "/v1/namespaces/%zz",
      undefined,
      400,
      "BadRequestException",
      "not a valid url component",
    ],
    ["an unknown address", "GET", "/v1/views", undefined, 404, "NotFoundException", "Cannot GET /v1/views"],
  ])("answers %s with an ErrorModel", async (_, method, path, body, code, type, message) => {
    const answer = await call(method, path, body);
    expect(answer).toMatchObject({
      status: code,
      body: { error: { code, type, message: expect.stringContaining(message) } },
    });
  });

  it("refuses huge bodies and deep ones without reading on", async () => {
    expect(await call("POST", "/v1/namespaces", { namespace: ["x".repeat(70_000)] })).toMatchObject({
      status: 413,
      body: { error: { code: 413 } },
    });
    expect(await call("POST", "/v1/namespaces", "[".repeat(30_000))).toMatchObject({ status: 400 });
    expect(await call("POST", "/v1/namespaces", `{"namespace":${"[".repeat(5000)}${"]".repeat(5000)}}`)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining("nested deeper") } },
    });
  });
});
