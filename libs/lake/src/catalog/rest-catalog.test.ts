import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { LakeError } from "../lake-error.ts";
import { RestCatalog, type RestCatalogOptions } from "./rest-catalog.ts";
import { uuidV7 } from "./uuid-v7.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/** A server that answers `/v1/config` and hands everything else to `handler`. */
async function catalogAnswering(handler: Handler, config: unknown = {}, options: Partial<RestCatalogOptions> = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, headers });
    if (url.startsWith("/v1/config")) response.end(JSON.stringify(config));
    else handler(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { catalog: new RestCatalog({ uri, timeoutMs: 2000, ...options }), seen, server };
}

const TABLE = { namespace: ["a", "b c"], name: "t/ü" };
const COMMIT = { requirements: [], updates: [] };

async function failure(work: Promise<unknown>): Promise<LakeError> {
  return (await work.catch((error: unknown) => error)) as LakeError;
}

function answering(status: number, message = "no", type = "X"): Handler {
  return (_request, response) => {
    response.statusCode = status;
    response.end(JSON.stringify({ error: { message, type, code: status } }));
  };
}

describe("what a failure means", () => {
  it.each<[number, string, string, string]>([
    [400, "invalid", "invalid", "invalid"],
    [401, "unauthorized", "unauthorized", "unauthorized"],
    [403, "unauthorized", "unauthorized", "unauthorized"],
    [404, "not_found", "not_found", "not_found"],
    [406, "unsupported", "unsupported", "unsupported"],
    [409, "already_exists", "already_exists", "conflict"],
    [419, "unauthorized", "unauthorized", "unauthorized"],
    [422, "invalid", "invalid", "invalid"],
    [429, "unavailable", "unavailable", "unavailable"],
    [500, "unavailable", "unknown_outcome", "unknown_outcome"],
    [502, "unavailable", "unknown_outcome", "unknown_outcome"],
    [503, "unavailable", "unknown_outcome", "unknown_outcome"],
    [504, "unavailable", "unknown_outcome", "unknown_outcome"],
  ])("status %i is %s to a read, %s to a change, %s to a commit", async (status, read, change, commit) => {
    const { catalog } = await catalogAnswering(answering(status));
    expect((await failure(catalog.loadTable(TABLE))).kind).toBe(read);
    expect((await failure(catalog.createNamespace(["n"]))).kind).toBe(change);
    expect((await failure(catalog.commitTable(TABLE, COMMIT))).kind).toBe(commit);
  });

  it("carries the server's words, and says conflict for a namespace that is not empty", async () => {
    const { catalog } = await catalogAnswering(
      answering(409, "Namespace a is not empty.", "NamespaceNotEmptyException"),
    );
    expect(await failure(catalog.dropNamespace(["a"]))).toMatchObject({
      kind: "conflict",
      message: "Namespace a is not empty.",
    });
  });

  it("reads an error body that is not JSON", async () => {
    const { catalog } = await catalogAnswering((_, response) =>
      response.writeHead(502).end("<html>bad gateway</html>"),
    );
    expect((await failure(catalog.loadTable(TABLE))).message).toContain("was answered with status 502");
  });

  it("says unavailable when nobody listens, also for a commit", async () => {
    const { catalog, server } = await catalogAnswering(answering(500));
    await catalog.config();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(catalog.commitTable(TABLE, COMMIT))).toMatchObject({ kind: "unavailable", retryable: true });
  });

  it("says unknown outcome when a commit gets no answer, a broken one or a cut one", async () => {
    const silent = await catalogAnswering(() => {}, {}, { timeoutMs: 100 });
    const late = await failure(silent.catalog.commitTable(TABLE, COMMIT));
    expect(late).toMatchObject({ kind: "unknown_outcome", retryable: false });
    expect(late.message).toContain("no answer within 100 ms");
    const cut = await catalogAnswering((request) => request.socket.destroy());
    expect((await failure(cut.catalog.commitTable(TABLE, COMMIT))).kind).toBe("unknown_outcome");
    expect((await failure(cut.catalog.loadTable(TABLE))).kind).toBe("unavailable");
    const broken = await catalogAnswering((_, response) => response.end(`{"metadata":`));
    expect((await failure(broken.catalog.commitTable(TABLE, COMMIT))).kind).toBe("unknown_outcome");
    expect((await failure(broken.catalog.loadTable(TABLE))).kind).toBe("corrupt");
    const empty = await catalogAnswering((_, response) => response.end(`{"metadata":{}}`));
    expect((await failure(empty.catalog.commitTable(TABLE, COMMIT))).kind).toBe("unknown_outcome");
    expect((await failure(empty.catalog.loadTable(TABLE))).kind).toBe("corrupt");
  });

  it("tries once, and asks for the configuration again after it failed", async () => {
    const { catalog, seen } = await catalogAnswering(answering(503));
    await failure(catalog.commitTable(TABLE, COMMIT));
    expect(seen.filter((request) => request.method === "POST")).toHaveLength(1);
    let up = false;
    const late = createServer((_, response) => {
      response.statusCode = up ? 200 : 503;
      response.end("{}");
    });
    servers.push(late);
    await new Promise<void>((resolve) => late.listen(0, "127.0.0.1", resolve));
    const other = new RestCatalog({ uri: `http://127.0.0.1:${(late.address() as AddressInfo).port}` });
    expect((await failure(other.config())).kind).toBe("unavailable");
    up = true;
    expect(await other.config()).toEqual({ defaults: {}, overrides: {} });
  });
});

describe("what is sent", () => {
  it("has the prefix, the token, encoded names and an idempotency key", async () => {
    const config = { defaults: { prefix: "no" }, overrides: { prefix: "ws/1" }, endpoints: ["GET /v1/x"] };
    const { catalog, seen } = await catalogAnswering(answering(404), config, {
      auth: { kind: "token", token: "secret" },
      warehouse: "w h",
    });
    expect(await catalog.config()).toMatchObject({ endpoints: ["GET /v1/x"] });
    await failure(catalog.commitTable(TABLE, { ...COMMIT, idempotencyKey: "key-1" }));
    await failure(catalog.commitTable(TABLE, COMMIT));
    expect(seen[0]).toMatchObject({ url: "/v1/config?warehouse=w+h", headers: { authorization: "Bearer secret" } });
    expect(seen[1]).toMatchObject({
      method: "POST",
      url: "/v1/ws/1/namespaces/a%1Fb%20c/tables/t%2F%C3%BC",
      headers: { authorization: "Bearer secret", "idempotency-key": "key-1" },
    });
    expect(seen[2]?.headers["idempotency-key"]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("follows the pages of a listing", async () => {
    const { catalog } = await catalogAnswering((request, response) => {
      const second = request.url?.includes("pageToken=p2");
      const page = second
        ? { identifiers: [{ namespace: ["n"], name: "b" }] }
        : { identifiers: [{ namespace: ["n"], name: "a" }], "next-page-token": "p2" };
      response.end(JSON.stringify(page));
    });
    expect((await catalog.listTables(["n"])).map((identifier) => identifier.name)).toEqual(["a", "b"]);
  });
});

describe("uuidV7", () => {
  it("begins with the time", () => {
    expect(uuidV7(0x0123_4567_89ab)).toMatch(/^01234567-89ab-7/);
  });
});
