import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { findOrAddSecurities, listSecurities, RelationalDatabase } from "@firn/relational";
import { bundleScript, natsServerBinary } from "@firn/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { readConfig } from "../src/config.ts";
import { lockDataDir } from "../src/data-dir-lock.ts";
import { identifyProcess } from "../src/process-identity.ts";
import { PROCESS_NAMES, type StartOptions } from "../src/start-arguments.mjs";
import { Standalone } from "../src/standalone.ts";

const HERE = import.meta.dirname;
let natsBinary: string;
let folder: string;
let dataDir: string;
let appsFolder: string;
let endsFile: string;
const open: Standalone[] = [];

beforeAll(async () => {
  natsBinary = await natsServerBinary();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "firn-standalone-"));
  dataDir = join(folder, "lake");
  appsFolder = join(folder, "apps");
  endsFile = join(folder, "ends");
  for (const name of PROCESS_NAMES.filter((each) => each !== "nats")) {
    mkdirSync(join(appsFolder, name, "dist"), { recursive: true });
    cpSync(join(HERE, "fixtures", "fake-service.mjs"), join(appsFolder, name, "dist", "main.js"));
  }
});

afterEach(async () => {
  for (const standalone of open.splice(0)) await standalone.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Making a database takes a second or two: only those tests that are about it have one. */
const WITHOUT_DATABASE = PROCESS_NAMES.filter((name) => name !== "database");

async function make(options: Partial<StartOptions> = {}, environment: Record<string, string> = {}) {
  const said: string[] = [];
  const all = { once: false, sample: false, dataDir, autoPorts: true, only: WITHOUT_DATABASE, ...options };
  const config = await readConfig(all, { ...process.env, FAKE_ENDS: endsFile, ...environment });
  const standalone = new Standalone(config, { appsFolder, natsBinary, say: (line) => said.push(line) });
  open.push(standalone);
  return { standalone, said, config };
}

interface Endpoints {
  readonly [name: string]: unknown;
  readonly pids: Readonly<Record<string, number>>;
}

const endpoints = () => JSON.parse(readFileSync(join(dataDir, "endpoints.json"), "utf8")) as Endpoints;

async function until(what: string, condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

describe("standalone", () => {
  it("starts every process, writes endpoints.json, drains in order and removes it", async () => {
    const { standalone } = await make({ only: PROCESS_NAMES });
    await standalone.start();
    const { pids, ...addresses } = endpoints();
    expect(Object.keys(pids).sort()).toEqual([...PROCESS_NAMES].sort());
    expect(addresses["database"]).toMatch(/^postgres:\/\/firn:[\w-]+@127\.0\.0\.1:\d+\/postgres$/);
    expect(addresses["ingest"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(addresses["nats"]).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(String(addresses["query"]))).status).toBe(200);
    await standalone.stop();
    expect(existsSync(join(dataDir, "endpoints.json"))).toBe(false);
    expect(existsSync(join(dataDir, "processes.json"))).toBe(false);
    expect(readFileSync(endsFile, "utf8").trim().split("\n")).toEqual([
      "market",
      "ingest",
      "query",
      "validator",
      "aggregator",
      "catalog-writer",
      "catalog",
    ]);
    for (const pid of Object.values(pids)) expect(identifyProcess(pid)).toBeUndefined();
  });

  it("brings back a killed service and a killed nats-server on the same address", async () => {
    const { standalone, said } = await make();
    await standalone.start();
    const before = endpoints();
    for (const name of ["aggregator", "nats"]) {
      process.kill(before.pids[name] ?? 0, "SIGKILL");
      await until(`${name} is back`, () => endpoints().pids[name] !== before.pids[name]);
    }
    const { pids: pidsAfter, ...addressesAfter } = endpoints();
    const { pids: pidsBefore, ...addressesBefore } = before;
    expect(addressesAfter).toEqual(addressesBefore);
    expect(pidsAfter["query"]).toBe(pidsBefore["query"]);
    expect(said.join("\n")).toContain("aggregator ended (SIGKILL)");
    await until("nats answers", () => identifyProcess(pidsAfter["nats"] ?? 0) !== undefined);
  });

  it("keeps relations in a database of its own, which comes back with its rows after a kill", async () => {
    const { standalone } = await make({ only: ["database"] });
    await standalone.start();
    const { database, pids } = endpoints();
    const relations = new RelationalDatabase({ databaseUrl: String(database), name: "test" });
    try {
      await findOrAddSecurities(relations, "US", ["AAPL"]);
      process.kill(pids["database"] ?? 0, "SIGKILL");
      await until("the database is back", () => endpoints().pids["database"] !== pids["database"]);
      expect(await listSecurities(relations)).toMatchObject([{ ticker: "AAPL", iso_code: "US" }]);
    } finally {
      await relations.close();
    }
  });

  it("takes the database that DATABASE_URL names, and says what is wrong with it", async () => {
    const url = "postgres://firn@127.0.0.1:1/firn";
    const { standalone, config } = await make(
      { only: ["database", "query"] },
      { DATABASE_URL: url, NATS_URL: "nats://x" },
    );
    expect(config.only).toEqual(["query"]);
    await expect(standalone.start()).rejects.toThrow(/database cannot be brought to its schema: .*ECONNREFUSED/);
  });

  it("ends what a killed supervisor left behind, and nothing else", async () => {
    const outfile = join(HERE, "..", "dist", `test-run-${process.pid}.mjs`);
    await bundleScript(join(HERE, "fixtures", "run.ts"), outfile);
    const child = spawn(process.execPath, [outfile, appsFolder, dataDir, natsBinary], {
      env: { ...process.env, FAKE_ENDS: endsFile },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await until("the first start is ready", () => output.includes("ready"));
    const left = endpoints().pids;
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    rmSync(outfile);
    expect(identifyProcess(left["nats"] ?? 0)).toBeDefined();

    const { standalone, said } = await make();
    await standalone.clean();
    expect(existsSync(join(dataDir, "endpoints.json"))).toBe(false);
    for (const pid of Object.values(left)) expect(identifyProcess(pid)).toBeUndefined();
    expect(said[0]).toContain("nats");
    await standalone.start();
    expect(endpoints().pids["nats"]).not.toBe(left["nats"]);
  });

  it("leaves a process alone that only has the id of an orphan", async () => {
    const { standalone } = await make();
    const stranger = spawn("sleep", ["60"]);
    const identity = identifyProcess(stranger.pid ?? 0);
    mkdirSync(dataDir, { recursive: true });
    const { writeJsonFile } = await import("../src/atomic-file.ts");
    writeJsonFile(join(dataDir, "processes.json"), [{ name: "nats", ...identity, command: "nats-server -c x" }]);
    await standalone.clean();
    expect(identifyProcess(stranger.pid ?? 0)).toEqual(identity);
    stranger.kill();
  });

  it("says which variable to set when a port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const free = { FIRN_NATS_PORT: "1", FIRN_NATS_MONITOR_PORT: "2" };
    const { standalone } = await make(
      { autoPorts: false, only: ["ingest"] },
      { ...free, FIRN_INGEST_PORT: String(port), NATS_URL: "nats://127.0.0.1:1" },
    );
    await expect(standalone.start()).rejects.toThrow(/is taken by another process; set FIRN_INGEST_PORT/);
    server.close();
  });

  it("gives up on a wrong configuration and shows the end of its log", async () => {
    const { standalone } = await make({}, { FAKE_BROKEN: "query" });
    await expect(standalone.start()).rejects.toThrow(
      /query does not start: exit code 2[^]*FAKE_SETTING must be a number/,
    );
  });

  it("lets one process at a time have a data directory", () => {
    const lock = lockDataDir(dataDir);
    expect(lock).toBeDefined();
    const script = `const D=require("libsql");const d=new D(process.argv[1]);d.exec("PRAGMA busy_timeout=0");
      try{d.exec("BEGIN EXCLUSIVE");console.log("got it")}catch{console.log("busy")}`;
    const other = () =>
      execFileSync(process.execPath, ["-e", script, join(dataDir, "standalone.lock")], { cwd: HERE, encoding: "utf8" });
    expect(other()).toBe("busy\n");
    lock?.release();
    expect(other()).toBe("got it\n");
  });
});
