import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startService } from "@firn/service";
import { tempFolder, writeTokenFile, type TempFolder } from "@firn/testing";
import { catalogService } from "../src/catalog-service.ts";
import { callCatalog, type Answer } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

let folder: TempFolder;
let server: RunningCatalog;
beforeAll(async () => {
  folder = await tempFolder("tokens");
  const file = writeTokenFile(folder.path, [
    { token: "writer", scopes: ["catalog"] },
    { token: "reader", scopes: ["catalog_read"] },
    { token: "ingest", scopes: ["ingest", "query"] },
    { token: "admin", scopes: ["admin"] },
    { token: "old", scopes: ["admin"], expires: "2020-01-01T00:00:00Z" },
  ]);
  server = await startCatalog({ FIRN_TOKENS_FILE: file });
});
afterAll(async () => {
  await server.close();
  await folder.remove();
});

const as = (authorization: string, method = "GET", path = "/v1/namespaces", body?: unknown): Promise<Answer> =>
  callCatalog(server.url, method, path, body, authorization === "" ? {} : { authorization });

describe("a guarded catalog", () => {
  it.each([
    ["", 401],
    ["Basic d3JpdGVy", 401],
    ["Bearer", 401],
    ["Bearer wrong", 401],
    ["Bearer old", 401],
    ["Bearer writer extra", 401],
    ["Bearer ingest", 403],
    ["Bearer reader", 200],
    ["bearer  writer", 200],
    ["Bearer admin", 200],
  ])("answers a reader with %j by %i", async (authorization, status) => {
    const answer = await as(authorization);
    expect(answer.status).toBe(status);
    if (status === 200) return;
    const type = status === 401 ? "NotAuthorizedException" : "ForbiddenException";
    expect(answer.body.error).toMatchObject({ type, code: status });
  });

  it("lets only those write who may", async () => {
    const create = (token: string, name: string) =>
      as(`Bearer ${token}`, "POST", "/v1/namespaces", { namespace: [name] }).then((answer) => answer.status);
    expect(await create("reader", "x")).toBe(403);
    expect((await as("Bearer admin", "HEAD", "/v1/namespaces/x")).status).toBe(404);
    expect(await create("writer", "x")).toBe(200);
    expect(await create("admin", "y")).toBe(200);
    expect((await as("Bearer reader", "DELETE", "/v1/namespaces/x")).status).toBe(403);
    const report = { "report-type": "scan-report" };
    expect((await as("Bearer reader", "POST", "/v1/namespaces/x/tables/t/metrics", report)).status).toBe(204);
  });

  it("says how to ask, and leaves probes and scrapes open", async () => {
    expect((await fetch(`${server.url}/v1/config`)).headers.get("www-authenticate")).toBe("Bearer");
    const denied = await fetch(`${server.url}/v1/config`, { headers: { authorization: "Bearer ingest" } });
    expect(denied.headers.get("www-authenticate")).toContain("insufficient_scope");
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    expect((await fetch(`${server.url}/metrics/../v1/config`)).status).toBe(401);
    expect((await fetch(`${server.url}/health/%2e%2e/v1/namespaces`)).status).not.toBe(200);
  });
});

describe("an unguarded catalog", () => {
  it("binds nothing but loopback unless it is told to", async () => {
    const environment = {
      FIRN_PORT: "0",
      FIRN_LOG_LEVEL: "silent",
      FIRN_DATA_DIR: folder.path,
      ICEBERG_WAREHOUSE: `${folder.path}/warehouse`,
      FIRN_HOST: "0.0.0.0",
    };
    await expect(startService(catalogService, environment)).rejects.toThrow("FIRN_TOKENS_FILE: is needed to bind");
    const told = await startService(catalogService, { ...environment, FIRN_ALLOW_UNGUARDED: "true" });
    await told.close();
  });
});
