import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleScript } from "@firn/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
let folder: string;
let script: string;

beforeAll(async () => {
  // Inside the repository, so that the bundle finds the npm packages.
  folder = await mkdtemp(join(here, ".demo-"));
  script = join(folder, "demo.mjs");
  await bundleScript(join(here, "demo-process.ts"), script, "1.2.3");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Demo {
  readonly child: ChildProcess;
  readonly ready: Promise<string>;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

function start(env: Record<string, string>, args: string[] = []): Demo {
  const child = fork(script, args, { env: { PATH: process.env["PATH"] ?? "", ...env }, silent: true });
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => (out += String(chunk)));
  child.stderr?.on("data", (chunk) => (err += String(chunk)));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const ready = new Promise<string>((resolve, reject) => {
    child.on("message", (message) => resolve((message as { kind: string; url: string }).url));
    void exited.then(() => reject(new Error(`ended before it was ready: ${err || out}`)));
  });
  ready.catch(() => {});
  const outputs = [child.stdout, child.stderr].map((output) => output && once(output, "close"));
  const ended = Promise.all([exited, ...outputs]).then(([[code]]) => ({ code, out, err }));
  return { child, ready, ended };
}

const logLines = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { level: string; message: string; error?: { message: string } });

test("--help names every variable, one a line, and hides secrets", async () => {
  const { code, out } = await start({}, ["--help"]).ended;
  expect(code).toBe(0);
  expect(out).toMatchInlineSnapshot(`
    "firn demo: shows how a service behaves

    Usage: node dist/main.js [--help | --version | --setup]
    --setup makes the streams and tables that are missing and ends.

    Environment (NAME_FILE names a file with the value of NAME):
      DEMO_MODE                    string  required           What the demo does.
      DEMO_PASSWORD                string  default (hidden)   A secret.
      FIRN_PORT                    int     default 0          Port of the HTTP server; 0 takes a free one.
      FIRN_HOST                    string  default 127.0.0.1  Address that the HTTP server binds.
      FIRN_LOG_LEVEL               string  default info       Least severe log lines that are written: debug, info, warn, error or silent.
      FIRN_DATA_DIR                path    default .firn      Folder for local state, which can be rebuilt from the tables and the streams.
      FIRN_DRAIN_MS                int     default 15000      Milliseconds that work in flight has to finish at the end.
      OTEL_EXPORTER_OTLP_ENDPOINT  url     optional           OpenTelemetry collector (OTLP over HTTP) that spans of requests are sent to; none are made without it.
    "
  `);
});

test("--version prints the version, any other argument is wrong usage", async () => {
  expect(await start({}, ["--version"]).ended).toMatchObject({ code: 0, out: "1.2.3\n" });
  expect(await start({}, ["--fast"]).ended).toMatchObject({ code: 2 });
});

test("a wrong environment exits 2 and names every variable and rule", async () => {
  const { code, err } = await start({ FIRN_PORT: "x" }).ended;
  expect(code).toBe(2);
  expect(err).toBe(
    "demo: DEMO_MODE is required\ndemo: FIRN_PORT must be a whole number\ndemo: --help says what each variable is for\n",
  );
});

test("SIGTERM answers what is in flight, drains the stages, closes the parts and exits 0", async () => {
  const { child, ready, ended } = start({ DEMO_MODE: "calm" });
  const slow = fetch(`${await ready}/demo/slow`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill("SIGTERM");
  expect(await (await slow).json()).toEqual({ done: true });
  const { code, out } = await ended;
  expect(code).toBe(0);
  expect(logLines(out).map(({ message }) => message)).toEqual([
    "service listens",
    "stage drained",
    "parts closed",
    "service ended",
  ]);
});

test("when the parent has gone it drains and ends", async () => {
  const { child, ready, ended } = start({ DEMO_MODE: "calm" });
  await ready;
  child.disconnect();
  expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining("parts closed") as string });
});

test.each([
  ["stage-fails", "service failed", "the stage broke"],
  ["uncaught", "uncaught rejection", "nobody caught this"],
])("%s: a structured line and exit code 1", async (mode, message, reason) => {
  const { code, out } = await start({ DEMO_MODE: mode }).ended;
  expect(code).toBe(1);
  expect(logLines(out).at(-1)).toMatchObject({ level: "error", message, error: { message: reason } });
});

test("a port that is taken is a structured line and exit code 1", async () => {
  const { child, ready, ended } = start({ DEMO_MODE: "calm" });
  const port = new URL(await ready).port;
  const { code, out } = await start({ DEMO_MODE: "calm", FIRN_PORT: port }).ended;
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
  expect(code).toBe(1);
  expect(logLines(out).at(-1)).toMatchObject({ level: "error", error: { code: "EADDRINUSE" } });
});
