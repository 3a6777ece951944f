import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { runFirn } from "./program.ts";

let folder: string;
let server: Server | undefined;
let out: string;
let err: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "firn-cli-"));
  out = "";
  err = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((err += String(text)), true));
  for (const name of ["NATS_URL", "ICEBERG_CATALOG_URI", "ICEBERG_WAREHOUSE", "FIRN_DATA_DIR", "FIRN_QUERY_URL"]) {
    vi.stubEnv(name, "");
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = 0;
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const firn = (...args: readonly string[]) => runFirn([...args, "--data-dir", folder]);

/** A query service that answers /api/pipeline with this, found by endpoints.json. */
async function startQuery(pipeline: object): Promise<void> {
  const listening = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(pipeline));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as { port: number };
  writeFileSync(join(folder, "endpoints.json"), JSON.stringify({ query: `http://127.0.0.1:${port}` }));
}

const lag = { intake: 0, accepted: 3, rejected: 0, rollup: 0 };
const counts = { received: 1234, stored: 1200, corrected: 1, duplicates: 30, rejected: 2, deleted: 1 };
const settled = { settled: true, parked: [], lag, datasets: { health: counts } };

describe("firn", () => {
  it("teaches: every command has a summary, examples and its exit codes", async () => {
    expect(await runFirn(["--help"])).toBe(0);
    const commands = ["replay", "status", "check", "verify", "tables", "errors", "rebuild", "maintain", "resume"];
    for (const command of commands) {
      expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
    }
    for (const command of commands) {
      out = "";
      expect(await runFirn([command, "--help"])).toBe(0);
      expect(out).toContain("--json");
      expect(out).toContain(`  firn ${command}`);
      expect(out).toContain("Exit codes: 0 ");
    }
  });

  it.each([
    [["nonsense"], "unknown command"],
    [["status", "--nonsense"], "unknown option"],
    [["replay"], "missing required argument"],
    [["replay", "/no/such/file.csv"], "there is no such file"],
    [["errors", "--limit", "0"], "whole number from 1"],
    [["rebuild", "health", "--from", "2026-02-30"], "must be a date"],
    [["rebuild", "wealth"], 'there is no lake "wealth"'],
    [["rebuild", "sales", "--date", "2025-01-16", "--to", "2025-01-17"], "--date names one day"],
    [["rebuild", "sales", "--from", "2025-01-17", "--to", "2025-01-16"], "--from 2025-01-17 is after --to 2025-01-16"],
    [["rebuild", "sales", "--database", "demo"], "--database demo: the lake sales has sales"],
    [["rebuild", "sales", "--summary-table", "x"], "--summary-table x: the lake sales has sales_daily_summary"],
    [["rebuild", "sales", "--cleanup"], "it is refused in environment production"],
    [["verify", "wealth"], 'there is no lake "wealth"'],
    [["resume", "health.0"], "either --from N or --accept-loss"],
    [["resume", "health.0", "--from", "3", "--accept-loss"], "either --from N or --accept-loss"],
    [["resume", "health.0", "--from", "0"], "whole number from 1"],
  ])("ends with 2 for %j", async (args, message) => {
    expect(await firn(...args)).toBe(2);
    expect(err).toContain(message);
  });

  it("ends with 3 when no lake runs, says what to do, and says so in JSON too", async () => {
    expect(await firn("status", "--json")).toBe(3);
    expect(err).toContain("no running lake found");
    expect(JSON.parse(out)).toMatchObject({ error: { fix: expect.stringContaining("npm start") as string } });
  });

  it("takes addresses from the environment before those of the file", async () => {
    await startQuery(settled);
    vi.stubEnv("FIRN_QUERY_URL", "http://127.0.0.1:1");
    expect(await firn("status")).toBe(3);
    expect(err).toContain("127.0.0.1:1");
  });

  it.each([
    ["ICEBERG_TABLE_RAW", "a.b"],
    ["ICEBERG_DATABASE", "a..b"],
    ["FIRN_DEFAULT_TIMEZONE", "Mars/Olympus"],
  ])("ends with 2 for a wrong %s and names it", async (variable, value) => {
    vi.stubEnv(variable, value);
    expect(await firn("verify")).toBe(2);
    expect(err).toMatch(new RegExp(`${variable}:? must be `));
  });

  it("shows a settled pipeline and ends with 0", async () => {
    await startQuery(settled);
    expect(await firn("status", "--wait")).toBe(0);
    expect(out).toMatch(/^settled; messages waiting: intake 0, accepted 3/);
    expect(out).toMatch(/health +1,234 +1,200 +1 +30 +2 +1/);
  });

  it("ends with 1 when it does not settle in time, and when something is parked", async () => {
    await startQuery({ ...settled, settled: false });
    expect(await firn("status")).toBe(0);
    expect(await firn("status", "--wait", "--timeout", "0.2")).toBe(1);
    server?.close();
    const parked = [{ stage: "catalog-writer", shard: 2, reason: "the stream is another one", fix: "firn resume 2" }];
    await startQuery({ ...settled, parked });
    expect(await firn("status")).toBe(1);
    expect(out).toContain("parked: catalog-writer, shard 2: the stream is another one\n  firn resume 2");
  });

  it("resumes nothing when nothing of that name is parked, and no several from one sequence", async () => {
    const state = { stage: "catalog-writer", reason: "the stream is another one", fix: "firn resume" };
    const parked = [
      { ...state, shard: "health.accepted" },
      { ...state, shard: "health.rejected" },
    ];
    await startQuery({ ...settled, parked });
    expect(await firn("resume", "health.rollup", "--accept-loss")).toBe(1);
    expect(out).toBe("nothing called health.rollup is parked\n");
    expect(await firn("resume", "health", "--from", "7")).toBe(2);
    expect(err).toContain("catalog-writer health.accepted, catalog-writer health.rejected");
  });
});
