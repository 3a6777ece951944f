import { access, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startScript } from "../src/app-process.ts";
import { freePort } from "../src/free-port.ts";
import { pauseProcess } from "../src/pause-process.ts";
import { tempFolder, type TempFolder } from "../src/temp-folder.ts";
import { waitFor } from "../src/wait-for.ts";

let folder: TempFolder;

beforeEach(async () => {
  folder = await tempFolder("processes");
});
afterEach(() => folder.remove());

async function script(text: string): Promise<string> {
  const file = join(folder.path, "app.mjs");
  await writeFile(file, text);
  return file;
}

const READY = `process.send({ kind: "ready", url: "http://127.0.0.1:1" });`;

test("starts a script with just the environment given, and knows where it listens from its message", async () => {
  const file = await script(`console.log(process.env.FIRN_X, process.env.VITEST, process.argv[2]); ${READY}
    setInterval(() => {}, 1000); process.on("SIGTERM", () => { console.log("drained"); process.exit(0); });`);
  const logFile = join(folder.path, "app.log");
  const app = await startScript(file, { app: "x", env: { FIRN_X: "7" }, args: ["arg"], logFile });
  expect(app.url).toBe("http://127.0.0.1:1");
  await waitFor(() => app.log().includes("7 undefined arg"), { limitMs: 5_000 });
  expect(await app.stop()).toEqual({ code: 0, signal: null });
  expect(await waitFor(async () => (await readFile(logFile, "utf8")).includes("drained"), { limitMs: 5_000 })).toBe(
    true,
  );
});

test("kills with SIGKILL, whatever the process does", async () => {
  const app = await startScript(
    await script(`process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); ${READY}`),
    {
      app: "x",
      env: {},
    },
  );
  const goOn = await pauseProcess(app.pid);
  goOn();
  expect(await app.kill()).toEqual({ code: null, signal: "SIGKILL" });
});

test("waits for a health address when it is given", async () => {
  const port = await freePort();
  const file = await script(`import { createServer } from "node:http";
    let asked = 0;
    createServer((_, answer) => answer.writeHead(++asked < 3 ? 503 : 200).end()).listen(${port}, "127.0.0.1");`);
  const app = await startScript(file, { app: "x", env: {}, healthUrl: `http://127.0.0.1:${port}/health/ready` });
  expect(app.url).toBe(`http://127.0.0.1:${port}`);
  await app.kill();
});

test("fails with the log when the process ends before it is ready, or is not ready in time", async () => {
  const dying = startScript(await script(`console.error("no config"); process.exit(2);`), { app: "x", env: {} });
  await expect(dying).rejects.toThrow(/x ended \(code 2[^]*no config/);
  const hanging = startScript(await script(`setInterval(() => {}, 1000)`), { app: "x", env: {}, readyLimitMs: 200 });
  await expect(hanging).rejects.toThrow(/x ready did not come true in 200 ms/);
});

test("a free port can be listened on", async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  server.close();
});

test("a temporary folder is gone after its removal, with what is in it", async () => {
  const own = await tempFolder("own");
  await writeFile(join(own.path, "file"), "x");
  await own.remove();
  await expect(access(own.path)).rejects.toThrow(/ENOENT/);
});

test("waiting gives what the condition gave, and at its limit says what it saw last", async () => {
  let looks = 0;
  expect(await waitFor(() => (++looks < 3 ? undefined : "value"), { limitMs: 5_000, everyMs: 1 })).toBe("value");
  expect(await waitFor(() => 0, { limitMs: 1 })).toBe(0);
  const failing = () => Promise.reject(new Error("not yet"));
  await expect(waitFor(failing, { limitMs: 10, everyMs: 1, what: "peace" })).rejects.toThrow(
    "peace did not come true in 10 ms; last: not yet",
  );
});
