import { ingestClient } from "@firn/client";
import { tempFolder, writeTokenFile, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { healthPayload, startIngest, type IngestFixture } from "./ingest-fixture.ts";

let folder: TempFolder;
let ingest: IngestFixture;
beforeAll(async () => {
  folder = await tempFolder("ingest-tokens");
  const file = writeTokenFile(folder.path, [
    { token: "device", scopes: ["ingest"] },
    { token: "analyst", scopes: ["query", "catalog"] },
    { token: "admin", scopes: ["admin"] },
    { token: "old", scopes: ["ingest"], expires: "2020-01-01T00:00:00Z" },
  ]);
  ingest = await startIngest({ FIRN_TOKENS_FILE: file });
});
afterAll(async () => {
  await ingest.service.close();
  await folder.remove();
});

const body = JSON.stringify(healthPayload());
const send = (authorization: string, content = body) =>
  ingest.post(content, authorization === "" ? {} : { authorization });

describe("a guarded ingest", () => {
  it.each([
    ["", 401, "unauthorized"],
    ["Bearer wrong", 401, "unauthorized"],
    ["Bearer old", 401, "unauthorized"],
    ["Basic ZGV2aWNl", 401, "unauthorized"],
    ["Bearer analyst", 403, "forbidden"],
  ])("refuses %j with %i as a problem, and stores nothing", async (authorization, status, code) => {
    const before = (await ingest.stored()).length;
    const answer = await send(authorization);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    expect(await answer.json()).toMatchObject({ code, status });
    expect((await ingest.stored()).length).toBe(before);
  });

  it("takes payloads of who may send", async () => {
    expect((await send("Bearer device")).status).toBe(202);
    expect((await send("Bearer admin")).status).toBe(202);
  });

  it("refuses a large body before it is read", async () => {
    const answer = await send("Bearer wrong", body.padEnd(3 * 1024 ** 2));
    expect(answer.status).toBe(401);
  });

  it("leaves probes, scrapes and the description open", async () => {
    for (const path of ["/health/live", "/metrics", "/docs", "/docs-json"]) {
      expect((await fetch(`${ingest.service.url}${path}`)).status, path).toBe(200);
    }
  });

  it("is told the client's token, and the client is told what is wrong", async () => {
    const client = (token: string) => ingestClient(ingest.service.url, { token, retry: { attemptsMax: 1 } });
    expect(await client("device").send("health", [healthPayload()])).toMatchObject({ payloads: 1 });
    await expect(client("analyst").send("health", [healthPayload()])).rejects.toMatchObject({
      kind: "refused",
      status: 403,
      message: expect.stringContaining("scope ingest") as string,
    });
    await expect(client("").send("health", [healthPayload()])).rejects.toMatchObject({ status: 401 });
  });
});

it("an unguarded ingest binds nothing but loopback unless it is told to", async () => {
  await expect(startIngest({ FIRN_HOST: "0.0.0.0" })).rejects.toThrow("FIRN_TOKENS_FILE: is needed to bind");
  const told = await startIngest({ FIRN_HOST: "0.0.0.0", FIRN_ALLOW_UNGUARDED: "true" });
  expect((await told.post(body)).status).toBe(202);
  await told.service.close();
});

describe("an ingest that limits requests", () => {
  it("answers 429 to a token that sends too often, and goes on with another", async () => {
    const file = writeTokenFile(folder.path, [
      { token: "eager", scopes: ["ingest"] },
      { token: "patient", scopes: ["ingest"] },
    ]);
    const limited = await startIngest({ FIRN_TOKENS_FILE: file, FIRN_INGEST_REQUESTS_PER_SECOND: "1" });
    try {
      const headersOf = (token: string) => ({ authorization: `Bearer ${token}` });
      const answers = await Promise.all(Array.from({ length: 12 }, () => limited.post(body, headersOf("eager"))));
      const refused = answers.filter(({ status }) => status === 429);
      const taken = answers.filter(({ status }) => status === 202);
      expect(taken.length).toBeGreaterThanOrEqual(2);
      expect(refused.length).toBeGreaterThanOrEqual(1);
      expect(taken.length + refused.length).toBe(12);
      expect(refused[0]!.headers.get("retry-after")).toBe("1");
      expect(await refused[0]!.json()).toMatchObject({ status: 429, code: "too_many_requests" });
      expect((await limited.post(body, headersOf("patient"))).status).toBe(202);
      expect((await fetch(`${limited.service.url}/health/live`)).status).toBe(200);
      const metrics = await (await fetch(`${limited.service.url}/metrics`)).text();
      expect(metrics).toContain(`firn_ingest_refused_total{code="too_many_requests"} ${refused.length}`);
    } finally {
      await limited.service.close();
    }
  });
});
