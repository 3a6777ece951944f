import { queryClient } from "@firn/client";
import { startService, type RunningService } from "@firn/service";
import { tempFolder, writeTokenFile, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble, queryService } from "../src/query-service.ts";
import { rawRow, samples } from "./sample-rows.ts";
import { health, smallLake, type SmallLake } from "./small-lake.ts";

let folder: TempFolder;
let lake: SmallLake;
let service: RunningService;

const start = (env: Record<string, string>) =>
  startService(
    { ...queryService, setup: (context) => assemble(context, lake.env) },
    {
      FIRN_PORT: "0",
      // Nobody is there: questions over HTTP need no broker.
      NATS_URL: "nats://127.0.0.1:1",
      ICEBERG_CATALOG_URI: "http://127.0.0.1:1",
      FIRN_DATA_DIR: folder.path,
      FIRN_LOG_LEVEL: "silent",
      FIRN_DRAIN_MS: "100",
      ...env,
    },
  );

beforeAll(async () => {
  folder = await tempFolder("query-tokens");
  lake = await smallLake();
  await lake.append(health.raw, samples("2026-01-01", 3, 1).map(rawRow));
  const file = writeTokenFile(folder.path, [
    { token: "analyst", scopes: ["query"] },
    { token: "device", scopes: ["ingest", "catalog"] },
  ]);
  service = await start({ FIRN_TOKENS_FILE: file });
}, 30_000);
afterAll(async () => {
  await service?.close();
  await lake?.close();
  await folder?.remove();
});

const asked = "/api/health/types?user_id=anna";

describe("a guarded query service", () => {
  it.each([
    ["", 401, "unauthorized"],
    ["Bearer wrong", 401, "unauthorized"],
    ["Bearer device", 403, "forbidden"],
  ])("refuses %j with %i as a problem", async (authorization, status, code) => {
    const headers: Record<string, string> = authorization === "" ? {} : { authorization };
    for (const path of [asked, "/api/pipeline", "/api/no-such-question"]) {
      const answer = await fetch(`${service.url}${path}`, { headers });
      expect(answer.status, path).toBe(status);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(await answer.json()).toMatchObject({ code, status });
    }
  });

  it("refuses a backtest before it reads the body", async () => {
    const answer = await fetch(`${service.url}/api/backtest`, {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).toBe(401);
  });

  it("answers who may ask", async () => {
    const client = queryClient(service.url, { token: "analyst", retry: { attemptsMax: 1 } });
    const { data } = await client.ask("health.raw", { user_id: "anna" });
    expect(data.length).toBeGreaterThan(0);
  });

  it("leaves probes, scrapes and the description open", async () => {
    for (const path of ["/health/live", "/metrics", "/docs", "/docs-json"]) {
      expect((await fetch(`${service.url}${path}`)).status, path).toBe(200);
    }
  });
});

it("an unguarded query service binds nothing but loopback unless it is told to", async () => {
  await expect(start({ FIRN_HOST: "0.0.0.0" })).rejects.toThrow("FIRN_TOKENS_FILE: is needed to bind");
});
