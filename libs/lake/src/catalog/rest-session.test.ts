import { createServer, type IncomingMessage, type ServerResponse, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { request as tableRequest } from "./contract/contract-fixture.ts";
import { MemoryCatalog } from "./memory-catalog.ts";
import { RestCatalog, type RestCatalogOptions } from "./rest-catalog.ts";
import { stringifyLakeJson } from "../metadata/json.ts";
import { VendedCredentials } from "./vended-credentials.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server whose requests are kept as `METHOD path`. */
async function serving(handler: Handler) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      handler(request, response, body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const TABLE = { namespace: ["n"], name: "t" };

/** A catalog behind OAuth2: tokens are `t1`, `t2` …; `good` says which is taken. */
async function guarded(expiresIn: number | undefined, good: (token: string) => boolean) {
  const forms: string[] = [];
  let nowMs = 1_000_000;
  let broken = false;
  const { uri, seen } = await serving((request, response, body) => {
    if (request.url === "/v1/oauth/tokens") {
      forms.push(body);
      if (broken) return void response.writeHead(503).end();
      return void response.end(JSON.stringify({ access_token: `t${forms.length}`, expires_in: expiresIn }));
    }
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!good(token)) {
      return void response.writeHead(401).end(JSON.stringify({ error: { message: "no", type: "NotAuthorized" } }));
    }
    response.end(request.url?.startsWith("/v1/config") ? "{}" : JSON.stringify({ namespaces: [] }));
  });
  const catalog = new RestCatalog({
    uri,
    auth: { kind: "client-credentials", clientId: "me", clientSecret: "s:e&cret" },
    timeoutMs: 2_000,
    nowMs: () => nowMs,
  });
  return {
    catalog,
    seen,
    forms,
    pass: (ms: number) => void (nowMs += ms),
    break: (is: boolean) => void (broken = is),
  };
}

describe("OAuth2 client credentials", () => {
  it("asks for a token once, in the form of RFC 6749, and renews it before it ends", async () => {
    const { catalog, forms, pass } = await guarded(100, () => true);
    await Promise.all([catalog.listNamespaces(), catalog.listNamespaces()]);
    expect(forms).toHaveLength(1);
    expect(Object.fromEntries(new URLSearchParams(forms[0]))).toEqual({
      grant_type: "client_credentials",
      client_id: "me",
      client_secret: "s:e&cret",
      scope: "catalog",
    });
    pass(74_000);
    await catalog.listNamespaces();
    expect(forms).toHaveLength(1);
    pass(2_000);
    await catalog.listNamespaces();
    expect(forms).toHaveLength(2);
  });

  it("uses the old token while the server of tokens is away, as long as it lives", async () => {
    const { catalog, pass, break: breakTokens } = await guarded(100, () => true);
    await catalog.listNamespaces();
    breakTokens(true);
    pass(80_000);
    expect(await catalog.listNamespaces()).toEqual([]);
    pass(30_000);
    await expect(catalog.listNamespaces()).rejects.toMatchObject({ kind: "unavailable" });
    const commit = catalog.commitTable(TABLE, { requirements: [], updates: [] });
    await expect(commit).rejects.toMatchObject({ kind: "unavailable" });
    breakTokens(false);
    expect(await catalog.listNamespaces()).toEqual([]);
  });

  it("takes another token when one is refused, and asks again once", async () => {
    let good = "t1";
    const { catalog, forms, seen } = await guarded(undefined, (token) => token === good);
    await catalog.listNamespaces();
    good = "t2";
    expect(await catalog.listNamespaces()).toEqual([]);
    expect(forms).toHaveLength(2);
    good = "none";
    await expect(catalog.listNamespaces()).rejects.toMatchObject({ kind: "unauthorized" });
    expect(seen.filter((line) => line.includes("namespaces"))).toHaveLength(5);
  });

  it("says unauthorized for wrong credentials, with the server's words and without the secret", async () => {
    const { uri } = await serving((_, response) =>
      response.writeHead(401).end(JSON.stringify({ error: "invalid_client", error_description: "unknown client" })),
    );
    const auth = { kind: "client-credentials", clientId: "me", clientSecret: "hidden" } as const;
    const failure = (await new RestCatalog({ uri, auth }).config().catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ kind: "unauthorized" });
    expect(failure.message).toContain("unknown client");
    expect(JSON.stringify(failure) + failure.message).not.toContain("hidden");
  });
});

describe("what /v1/config says", () => {
  const asked = async (config: unknown, options: Partial<RestCatalogOptions> = {}) => {
    const heads: IncomingMessage["headers"][] = [];
    const { uri, seen } = await serving((request, response) => {
      heads.push(request.headers);
      if (request.url?.startsWith("/v1/config")) response.end(JSON.stringify(config));
      else response.end(JSON.stringify({ namespaces: [] }));
    });
    return { catalog: new RestCatalog({ uri, timeoutMs: 2_000, ...options }), seen, heads };
  };

  it("counts below our settings as defaults, and above them as overrides", async () => {
    const settings = { prefix: "ours" };
    const byDefault = await asked({ defaults: { prefix: "theirs", "header.X-A": "1" } }, settings);
    await byDefault.catalog.listNamespaces();
    expect(byDefault.seen[1]).toBe("GET /v1/ours/namespaces");
    expect(byDefault.heads[1]).toMatchObject({ "x-a": "1" });
    const overridden = await asked({ overrides: { prefix: "main|w" }, defaults: { prefix: "x" } }, settings);
    await overridden.catalog.listNamespaces();
    expect(overridden.seen[1]).toBe("GET /v1/main%7Cw/namespaces");
    const own = await asked({ defaults: { prefix: "theirs" } });
    await own.catalog.listNamespaces();
    expect(own.seen[1]).toBe("GET /v1/theirs/namespaces");
  });

  it("keeps to the list of endpoints", async () => {
    const { catalog, seen } = await asked({ endpoints: ["GET /v1/{prefix}/namespaces"] });
    expect(await catalog.namespaceExists(["n"])).toBe(true);
    expect(seen.at(-1)).toBe("GET /v1/namespaces/n");
    await expect(catalog.registerTable(TABLE, "file:///x")).rejects.toMatchObject({ kind: "unsupported" });
    await expect(catalog.commitTransaction([])).rejects.toMatchObject({ kind: "unsupported" });
    expect(seen).toHaveLength(2);
    const silent = await asked({});
    await silent.catalog.namespaceExists(["n"]);
    expect(silent.seen.at(-1)).toBe("HEAD /v1/namespaces/n");
  });
});

describe("vended credentials", () => {
  const keys = (id: string, endsAtMs?: number) => ({
    "s3.access-key-id": id,
    "s3.secret-access-key": "secret",
    "s3.session-token": "session",
    ...(endsAtMs === undefined ? {} : { "s3.session-token-expires-at-ms": String(endsAtMs) }),
  });

  /** A catalog that gives keys `k1`, `k2` … with the table and, if it is offered, by itself. */
  async function vending(answer: (number: number) => Record<string, unknown>, endpoints?: readonly string[]) {
    const memory = new MemoryCatalog();
    await memory.createNamespace(["n"]);
    const { metadata, metadataLocation } = await memory.createTable(TABLE, {
      ...tableRequest,
      location: "s3a://b/n/t",
    });
    let given = 0;
    const delegations: unknown[] = [];
    const { uri, seen } = await serving((request, response) => {
      if (request.url?.startsWith("/v1/config")) return void response.end(JSON.stringify({ endpoints }));
      delegations.push(request.headers["x-iceberg-access-delegation"]);
      given += 1;
      const table = request.url?.endsWith("/credentials") ? {} : { metadata, "metadata-location": metadataLocation };
      response.end(stringifyLakeJson({ ...table, ...answer(given) }));
    });
    let nowMs = 1_000_000;
    const vended = new VendedCredentials(() => nowMs);
    const catalog = new RestCatalog({ uri, accessDelegation: "vended-credentials", vended, timeoutMs: 2_000 });
    return { catalog, vended, seen, delegations, pass: (ms: number) => void (nowMs += ms) };
  }

  it("are asked for with the table, and good for what lies below their prefix, the longest first", async () => {
    const { catalog, vended, delegations } = await vending(() => ({
      config: keys("unused"),
      "storage-credentials": [
        {
          prefix: "s3://b/n/t",
          config: { ...keys("table"), "s3.endpoint": "http://s3", "s3.path-style-access": "true" },
        },
        { prefix: "s3://b/n/t/data/", config: keys("data") },
        { prefix: "gs://b", config: { "gcs.oauth2.token": "x" } },
      ],
    }));
    await catalog.loadTable(TABLE);
    expect(delegations).toEqual(["vended-credentials"]);
    const access = await vended.credentialsFor("s3://b/n/t/metadata/x.json");
    expect(access).toEqual({
      credentials: { accessKeyId: "table", secretAccessKey: "secret", sessionToken: "session" },
      endpoint: "http://s3",
      pathStyle: true,
    });
    expect((await vended.credentialsFor("s3://b/n/t/data/f"))?.credentials.accessKeyId).toBe("data");
    expect(await vended.credentialsFor("s3://b/n/t2/data/f")).toBeUndefined();
  });

  it("come from the table's config where there is no list, and are renewed before they end", async () => {
    const { catalog, vended, pass, seen } = await vending((n) => ({
      config: keys(`k${n}`, 1_000_000 + n * 3_600_000),
    }));
    await catalog.loadTable(TABLE);
    const id = async () => (await vended.credentialsFor("s3://b/n/t/data/f"))?.credentials.accessKeyId;
    pass(3_600_000 - 301_000);
    expect(await id()).toBe("k1");
    pass(2_000);
    expect(await Promise.all([id(), id()])).toEqual(["k2", "k2"]);
    expect(seen.at(-1)).toBe("GET /v1/namespaces/n/tables/t?snapshots=refs");
    expect(seen).toHaveLength(3);
  });

  it("are renewed by their own endpoint where the catalog has one, and used to their end while it is away", async () => {
    const endpoint = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials";
    const endsAtMs = 1_000_000 + 3_600_000;
    const { catalog, vended, pass, seen } = await vending(
      (n) =>
        n === 2 ? {} : { "storage-credentials": [{ prefix: "s3://b/n/t", config: keys(`k${n}`, endsAtMs * n) }] },
      [endpoint],
    );
    await catalog.loadTable(TABLE);
    const id = async () => (await vended.credentialsFor("s3://b/n/t/data/f"))?.credentials.accessKeyId;
    pass(3_400_000);
    expect(await id()).toBe("k1");
    expect(seen.at(-1)).toBe("GET /v1/namespaces/n/tables/t/credentials");
    expect(await id()).toBe("k3");
    for (const server of servers) server.closeAllConnections();
    await new Promise((resolve) => servers.splice(0)[0]!.close(resolve));
    pass(endsAtMs * 3 - 4_400_000 - 60_000);
    expect(await id()).toBe("k3");
    pass(120_000);
    await expect(id()).rejects.toMatchObject({ kind: "unavailable" });
  });
});
