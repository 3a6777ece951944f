/** `npm start -- --once` twice over one data directory: the second run finds everything there and changes no row. */
import { Child, tempFolder, type TempFolder, waitFor } from "@firn/testing";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openLakeTables } from "./support/lake-tables.ts";

const limitMs = 240_000;
const startLimitMs = 60_000;
const start = join(import.meta.dirname, "..", "tools", "start.mjs");

let folder: TempFolder;
beforeAll(async () => {
  folder = await tempFolder("once");
});
afterAll(() => folder.remove());

it(
  "a second --once run reports only duplicates and changes no row of any table",
  async () => {
    const first = await runOnce();
    expect(first.get("duplicates")).toBeLessThan(first.get("records in") ?? 0);
    expect(first.get("dead letters")).toBeGreaterThan(0);
    const before = await digests();
    for (const [table, { rows }] of before) expect(rows, table).toBeGreaterThan(0);

    const second = await runOnce();
    // The first run has more: rows of tb_meta, mirrored as their securities came.
    expect(second.get("records in")).toBeGreaterThan(240_000);
    expect(second.get("records in")).toBeLessThanOrEqual(first.get("records in") ?? 0);
    expect(second.get("duplicates")).toBe(second.get("records in"));
    for (const name of ["stored in raw", "corrections", "dead letters"]) expect(second.get(name), name).toBe(0);
    expect(await digests()).toEqual(before);
  },
  limitMs,
);

/** The numbers of "this run" in its report, by their names, those of all lakes together. */
async function runOnce(): Promise<Map<string, number>> {
  const args = [start, "--once", "--ports", "auto", "--data-dir", folder.path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const lines = stdout.matchAll(/^(\w[\w ]*?) {2,}([\d,]+) +[\d,]+$/gm);
  const numbers = new Map<string, number>();
  for (const [, name = "", count = ""] of lines)
    numbers.set(name, (numbers.get(name) ?? 0) + Number(count.replaceAll(",", "")));
  return numbers;
}

/** Number of rows and a digest of all their columns, updated_at and processing_time included, by table. */
async function digests(): Promise<Map<string, { rows: number; digest: string }>> {
  const only = ["--only", "catalog", "--no-sample", "--ports", "auto", "--data-dir", folder.path];
  const catalog = new Child(process.execPath, [start, ...only], {});
  try {
    const ready = () => existsSync(join(folder.path, "endpoints.json"));
    await waitFor(ready, { limitMs: startLimitMs, what: "the start of the catalog" });
    const tables = await openLakeTables(folder.path);
    const found = new Map<string, { rows: number; digest: string }>();
    for (const definition of tables.definitions) {
      const rows = (await tables.rows(definition)).map((row) => JSON.stringify(row)).sort();
      found.set(definition.name, { rows: rows.length, digest: createHash("sha256").update(rows.join()).digest("hex") });
    }
    tables.close();
    return found;
  } finally {
    await catalog.stop(startLimitMs);
  }
}
