import { connect } from "node:net";
import { Controller, Get, Module, Post, Body } from "@nestjs/common";
import { afterEach, expect, test } from "vitest";
import { Problem } from "./problem.ts";
import type { ServiceDefinition, ServiceParts } from "./service.ts";
import { ConfigError, defineSettings } from "./settings.ts";
import { startService, type RunningService } from "./start-service.ts";

@Controller("demo")
class DemoController {
  @Get("problem")
  problem(): never {
    throw new Problem(400, "bad_demo", "The demo is bad.", {
      errors: [{ field: "demo", rule: "good", message: "demo must be good" }],
      headers: { "retry-after": "7" },
    });
  }

  @Get("crash")
  crash(): never {
    throw new Error("a private reason");
  }

  @Post("echo")
  echo(@Body() body: unknown): unknown {
    return { body };
  }
}

@Module({ controllers: [DemoController] })
class DemoModule {}

const noSettings = defineSettings({ word: { env: "WORD", type: "string", default: "w", help: "A word." } });
const running: RunningService[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.close()));
});

function define(
  setup: ServiceDefinition<{ readonly word: string }>["setup"],
): ServiceDefinition<{ readonly word: string }> {
  return { name: "demo", summary: "shows", port: 0, settings: noSettings, setup };
}

async function start(parts: ServiceParts = {}, lines: string[] = []): Promise<RunningService> {
  const service = await startService(
    define(async () => ({ modules: [{ module: DemoModule }], ...parts })),
    {},
    { logTo: { write: (line: string) => void lines.push(line) } },
  );
  running.push(service);
  return service;
}

test("live, ready and metrics are answered", async () => {
  const { url } = await start();
  expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: "live" });
  const ready = await fetch(`${url}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", checks: [] }]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(
    /^firn_build_info\{service="demo",version="0.0.0-source",node="[\d.]+",time_zones="\d{4}[a-z]"\} 1$/m,
  );
  expect(metrics).toContain("process_cpu_seconds_total");
  expect(metrics).toContain(
    'firn_http_request_duration_seconds_count{method="GET",route="/health/ready",status="200"} 1',
  );
});

test("not ready names the check that fails and why", async () => {
  const service = await start();
  service.health.addCheck("broker", () => "away");
  service.health.addCheck("disk", () => Promise.reject(new Error("full")));
  service.health.addCheck("fine", () => undefined);
  const answer = await fetch(`${service.url}/health/ready`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({
    status: "not ready",
    checks: [
      { name: "broker", ok: false, reason: "away" },
      { name: "disk", ok: false, reason: "full" },
      { name: "fine", ok: true },
    ],
  });
});

test("a problem is answered as problem+json with its fields and headers", async () => {
  const { url } = await start();
  const answer = await fetch(`${url}/demo/problem`);
  expect(answer.status).toBe(400);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("retry-after")).toBe("7");
  expect(await answer.json()).toEqual({
    type: "about:blank",
    title: "Bad Request",
    status: 400,
    code: "bad_demo",
    detail: "The demo is bad.",
    errors: [{ field: "demo", rule: "good", message: "demo must be good" }],
  });
});

test("an unexpected error is a 500 that keeps its reason to the log", async () => {
  const lines: string[] = [];
  const { url } = await start({}, lines);
  const answer = await fetch(`${url}/demo/crash`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain("private");
  const logged = lines.map(
    (line) => JSON.parse(line) as { level: string; message: string; error?: { message: string } },
  );
  expect(logged.find((line) => line.level === "error")).toMatchObject({
    message: "request failed",
    route: "/demo/crash",
    error: { message: "a private reason" },
  });
});

test.each([
  ["an unknown path", "/nowhere", {}, 404, "not_found"],
  ["a path that cannot be decoded", "/demo/%zz", {}, 400, "bad_request"],
  ["broken JSON", "/demo/echo", { body: "{", type: "application/json" }, 400, "broken_json"],
  ["another content type", "/demo/echo", { body: "x", type: "text/x" }, 415, "unsupported_media_type"],
  ["a large body", "/demo/echo", { body: `"${"x".repeat(5e6)}"`, type: "application/json" }, 413, "too_large"],
] as const)("%s is a problem", async (_name, path, sent, status, code) => {
  const { url } = await start();
  const answer = await fetch(`${url}${path}`, {
    ...("body" in sent && { method: "POST", body: sent.body, headers: { "content-type": sent.type } }),
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(await answer.json()).toMatchObject({ status, code });
});

test("bytes that are not HTTP get a problem on the socket", async () => {
  const { url } = await start();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write("hello there\r\n\r\n");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
});

test("a wrong environment names every variable, own and common", async () => {
  const starting = startService(
    define(async () => ({})),
    { FIRN_PORT: "many", FIRN_LOG_LEVEL: "loud" },
  );
  await expect(starting).rejects.toThrow(ConfigError);
  await expect(starting).rejects.toThrow(/FIRN_PORT: .*; FIRN_LOG_LEVEL: /);
});

test("closing aborts the stages, waits for them and closes the parts last", async () => {
  const events: string[] = [];
  const service = await start({
    stages: [
      {
        async run(signal) {
          events.push("runs");
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          await Promise.resolve();
          events.push("drained");
        },
      },
    ],
    onClose: async () => void events.push("closed"),
  });
  await service.close();
  await service.close();
  await service.ended;
  expect(events).toEqual(["runs", "drained", "closed"]);
  await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
});

test("a stage that throws, or ends by itself, fails the service", async () => {
  const broken = await start({ stages: [{ run: () => Promise.reject(new Error("the stage broke")) }] });
  await expect(broken.ended).rejects.toThrow("the stage broke");
  const early = await start({ stages: [{ run: () => Promise.resolve() }] });
  await expect(early.ended).rejects.toThrow("ended although nothing asked it to");
});

test("work that does not drain in time does not hold the end up", async () => {
  const lines: string[] = [];
  const service = await startService(
    define(async () => ({ stages: [{ run: () => new Promise<void>(() => {}) }] })),
    { FIRN_DRAIN_MS: "50" },
    { logTo: { write: (line: string) => void lines.push(line) } },
  );
  await service.close();
  expect(lines.join("")).toContain("service ends with work unfinished");
});

test("a signal that aborts ends the service", async () => {
  const ending = new AbortController();
  let closed = false;
  const service = await startService(
    define(async () => ({ onClose: async () => void (closed = true) })),
    { FIRN_LOG_LEVEL: "silent" },
    { signal: ending.signal },
  );
  ending.abort();
  await service.ended;
  expect(closed).toBe(true);
});
