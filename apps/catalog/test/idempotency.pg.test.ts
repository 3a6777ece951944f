import { randomBytes, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest } from "@firn/lake";
import { openPostgresSql } from "../src/database/postgres-sql.ts";
import { openSqliteSql } from "../src/database/sqlite-sql.ts";
import type { SqlDatabase } from "../src/database/sql-database.ts";
import { callCatalog, type Answer } from "./http-call.ts";
import { STORAGES, startCatalog, type RunningCatalog, type Storage } from "./running-catalog.ts";

const SCHEMA = { type: "struct", fields: [{ id: 1, name: "id", required: true, type: "long" }] };
const INSIDE = "/v1/namespaces/ns/tables/t";

/** A UUID of version 7 that nobody has used. */
const newKey = (): string => `0199${randomBytes(2).toString("hex")}-0000-7${randomUUID().slice(15)}`;

describe.each(STORAGES)("Idempotency-Key on %s", (name, open) => {
  let storage: Storage;
  let server: RunningCatalog;
  let environment: Readonly<Record<string, string>>;
  beforeAll(async () => {
    storage = await open();
    environment = storage.environment();
    server = await startCatalog(environment);
    const catalog = new RestCatalog({ uri: server.url });
    await catalog.createNamespace(["ns"]);
    const request = createTableRequest({ columns: [], identity: [], partition: [], sort: [], properties: {} });
    await catalog.createTable({ namespace: ["ns"], name: "t" }, request);
  });
  afterAll(async () => {
    await server?.close();
    await storage?.close();
  });

  const call = (key: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    callCatalog(server.url, method, path, body, { "idempotency-key": key });
  const set = (updates: Record<string, string>) => ({
    requirements: [],
    updates: [{ action: "set-properties", updates }],
  });
  const database = async <T>(work: (sql: SqlDatabase) => Promise<T>): Promise<T> => {
    const url = environment["FIRN_CATALOG_DATABASE_URL"];
    const sql = url === undefined ? openSqliteSql(`${server.folder}/catalog.db`) : openPostgresSql(url, () => {});
    try {
      return await work(sql);
    } finally {
      await sql.close();
    }
  };

  it("is offered by /v1/config", async () => {
    expect((await callCatalog(server.url, "GET", "/v1/config")).body["idempotency-key-lifetime"]).toBe("PT30M");
  });

  it("answers a commit that was applied again, and applies it once", async () => {
    const key = newKey();
    const first = await call(key, "POST", INSIDE, set({ a: "1" }));
    await call(newKey(), "POST", INSIDE, set({ a: "2" }));
    const again = await call(key.toUpperCase(), "POST", INSIDE, set({ a: "1" }));
    expect(again).toEqual(first);
    await server.restart();
    expect(await call(key, "POST", INSIDE, set({ a: "1" }))).toEqual(first);
    expect((await callCatalog(server.url, "GET", INSIDE)).body.metadata.properties["a"]).toBe("2");
  });

  it("runs requests that come together with one key once", async () => {
    const key = newKey();
    const body = { name: `together${key.slice(-4)}`, schema: SCHEMA };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => call(key, "POST", "/v1/namespaces/ns/tables", body)),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]!.status).toBe(200);
    const folder = answers[0]!.body.metadata.location.replace("file://", "");
    expect(await readdir(`${folder}/metadata`)).toHaveLength(1);
  });

  it("remembers refusals, and changes of all kinds", async () => {
    const [refused, made, dropped, renamed, changed] = Array.from({ length: 5 }, newKey) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const twice = async (key: string, method: string, path: string, body?: unknown): Promise<Answer> => {
      const first = await call(key, method, path, body);
      expect(await call(key, method, path, body)).toEqual(first);
      return first;
    };
    expect((await twice(refused, "DELETE", "/v1/namespaces/ns")).status).toBe(409);
    expect((await twice(made, "POST", "/v1/namespaces", { namespace: ["idem"] })).status).toBe(200);
    const properties = { updates: { x: "1" }, removals: ["y"] };
    const answer = await twice(changed, "POST", "/v1/namespaces/idem/properties", properties);
    expect(answer.body).toEqual({ updated: ["x"], removed: [], missing: ["y"] });
    await callCatalog(server.url, "POST", "/v1/namespaces/idem/tables", { name: "a", schema: SCHEMA });
    const names = { source: { namespace: ["idem"], name: "a" }, destination: { namespace: ["idem"], name: "b" } };
    expect((await twice(renamed, "POST", "/v1/tables/rename", names)).status).toBe(204);
    expect((await twice(dropped, "DELETE", "/v1/namespaces/idem/tables/b?purgeRequested=true")).status).toBe(204);
    expect((await call(newKey(), "DELETE", "/v1/namespaces/idem/tables/b")).status).toBe(404);
  });

  it("answers a change whose answer was lost with the process", async () => {
    const [committed, made, dropped] = [newKey(), newKey(), newKey()];
    const first = await call(committed, "POST", INSIDE, set({ lost: "1" }));
    await call(made, "POST", "/v1/namespaces", { namespace: ["lost"], properties: { p: "1" } });
    await call(dropped, "DELETE", "/v1/namespaces/lost");
    await database((sql) =>
      sql.transaction((session) => session.run("UPDATE firn_catalog_requests SET status = NULL, answer = NULL", [])),
    );
    expect(await call(committed, "POST", INSIDE, set({ lost: "1" }))).toEqual(first);
    const again = await call(made, "POST", "/v1/namespaces", { namespace: ["lost"], properties: { p: "1" } });
    expect(again).toMatchObject({ status: 200, body: { namespace: ["lost"], properties: { p: "1" } } });
    expect((await call(dropped, "DELETE", "/v1/namespaces/lost")).status).toBe(204);
    expect((await callCatalog(server.url, "HEAD", "/v1/namespaces/lost")).status).toBe(404);
  });

  it("refuses a key for another request, and one that is no UUID of version 7", async () => {
    const key = newKey();
    await call(key, "POST", INSIDE, set({ once: "1" }));
    expect(await call(key, "POST", INSIDE, set({ once: "2" }))).toMatchObject({
      status: 422,
      body: { error: { type: "UnprocessableEntityException" } },
    });
    for (const wrong of ["x", randomUUID(), ""]) {
      expect((await call(wrong, "POST", INSIDE, set({ once: "3" }))).status).toBe(400);
    }
    expect((await callCatalog(server.url, "GET", INSIDE)).body.metadata.properties["once"]).toBe("1");
  });

  it("of two catalogs with the same request, one applies it and both answer the same", async () => {
    const other = await startCatalog({
      FIRN_CATALOG_DB: `${server.folder}/catalog.db`,
      ...environment,
      ICEBERG_WAREHOUSE: server.warehouse,
    });
    try {
      for (let round = 0; round < 5; round += 1) {
        const headers = { "idempotency-key": newKey() };
        const body = { namespace: [`twin${round}${name}`] };
        const answers = await Promise.all(
          [server, other].map(({ url }) => callCatalog(url, "POST", "/v1/namespaces", body, headers)),
        );
        expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
      }
    } finally {
      await other.close();
    }
  });
});
