import { execFile } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureIcebergFixture } from "../../../tools/foreign-servers.mjs";
import { STORAGES, startCatalog, type RunningCatalog, type Storage } from "./running-catalog.ts";

/**
 * Apache's REST compatibility kit, `RESTCompatibilityKitSuite` of iceberg-open-api: 157 tests of tables and views. The
 * yardstick is Apache's own fixture on a local warehouse: 144 passed, none failed, 13 skipped.
 */
const PASSED_MIN = 144;
const SKIPPED_MAX = 13;
const KIT_MS_MAX = 300_000;

/** Its tests name tables at `file:/tmp/…`, so that is the warehouse, and these are what they leave there. */
const WAREHOUSE = "/tmp";
const LEFT_BEHIND = /^(ns(_?\d)?|newdb|other_ns)$/;

const run = promisify(execFile);

describe.each(STORAGES)("Apache's compatibility kit, pointers in %s", (_, open) => {
  let storage: Storage;
  let server: RunningCatalog;
  let before: Set<string>;
  beforeEach(async () => {
    before = new Set(await readdir(WAREHOUSE));
    storage = await open();
    server = await startCatalog({ ...storage.environment(), ICEBERG_WAREHOUSE: WAREHOUSE });
  });
  afterEach(async () => {
    await server?.close();
    await storage?.close();
    for (const name of await readdir(WAREHOUSE)) {
      if (LEFT_BEHIND.test(name) && !before.has(name)) await rm(join(WAREHOUSE, name), { recursive: true });
    }
  });

  it(
    "passes no fewer tests than Apache's own fixture",
    async () => {
      const output = await runKit(server.url);
      const count = (what: string): number => Number(new RegExp(`\\[\\s*(\\d+) ${what}`).exec(output)?.[1] ?? NaN);
      const failures = output.split("\n").filter((line) => line.includes("[X]"));
      const counts = {
        passed: count("tests successful"),
        failed: count("tests failed") + count("containers failed"),
        skipped: count("tests skipped") + count("tests aborted"),
      };
      console.log(`compatibility kit: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
      expect({ failures, failed: counts.failed }).toEqual({ failures: [], failed: 0 });
      expect(counts.passed).toBeGreaterThanOrEqual(PASSED_MIN);
      expect(counts.skipped).toBeLessThanOrEqual(SKIPPED_MAX);
    },
    KIT_MS_MAX,
  );
});

async function runKit(uri: string): Promise<string> {
  const system = [
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-Drck.local=false",
    "-Drck.requires-namespace-create=true",
    `-Duri=${uri}`,
  ];
  const launcher = ["org.junit.platform.console.ConsoleLauncher", "execute"];
  const suite = ["--select-class", "org.apache.iceberg.rest.RESTCompatibilityKitSuite"];
  const form = ["--disable-banner", "--disable-ansi-colors", "--details=tree", "--details-theme=ascii"];
  const args = ["-Xmx768m", ...system, "-cp", ensureIcebergFixture(), ...launcher, ...suite, ...form];
  try {
    return (await run("java", args, { maxBuffer: 256 * 1024 * 1024, timeout: KIT_MS_MAX })).stdout;
  } catch (error) {
    // It ends with 1 when a test has failed: which one stands in what it printed.
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined || !stdout.includes("tests successful")) throw error;
    return stdout;
  }
}
