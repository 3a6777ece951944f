/** Backup and restore as docs/operations.md has them: a copy of a stopped lake, and a catalog that is registered anew. */
import { Child, tempFolder, waitFor, type TempFolder } from "@firn/testing";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const limitMs = 300_000;
let folder: TempFolder;
const running: Child[] = [];

beforeAll(async () => {
  folder = await tempFolder("backup");
});
afterAll(async () => {
  for (const child of running) if (!child.hasExited) child.process.kill("SIGKILL");
  await folder.remove();
});

const parts = "nats,catalog,catalog-writer,validator,aggregator,query,ingest";

/** Starts the lake in a folder; answers its addresses and what ends it in order. */
async function start(dataDir: string, only = parts) {
  const args = ["--no-sample", "--ports", "auto", "--data-dir", dataDir, "--only", only];
  const lake = new Child(process.execPath, [join(root, "tools", "start.mjs"), ...args], { cwd: root });
  running.push(lake);
  const file = join(dataDir, "endpoints.json");
  await waitFor(() => existsSync(file) || lake.hasExited, { limitMs: 90_000, what: "the start of the lake" });
  const addresses = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, string>>;
  return {
    addresses,
    async stop() {
      lake.process.kill("SIGINT");
      await waitFor(() => lake.hasExited, { limitMs: 90_000, what: "the end of the lake" });
    },
  };
}

async function firn(dataDir: string, ...args: string[]): Promise<string> {
  const command = [join(root, "firn.mjs"), ...args, "--data-dir", dataDir];
  try {
    return (await promisify(execFile)(process.execPath, command)).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`firn ${args.join(" ")}: ${stdout}${stderr}`, { cause: error });
  }
}

async function send(ingest: string, ids: readonly string[]): Promise<void> {
  const samples = ids.map((id) => ({
    ...{ id, type: "heartRate", value: 61, unit: "count/min" },
    ...{ startDate: "2026-01-05T10:00:00Z", endDate: "2026-01-05T10:00:05Z" },
  }));
  const answer = await fetch(`${ingest}/v1/ingest/health`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ deviceId: "d", userId: "anna", samples }),
  });
  expect(answer.status).toBe(202);
}

async function countsOf(dataDir: string, query: string): Promise<object> {
  await firn(dataDir, "status", "--wait");
  const answer = (await (await fetch(`${query}/api/pipeline`)).json()) as { datasets: { health: object } };
  expect(answer).toMatchObject({ settled: true, parked: [] });
  return answer.datasets.health;
}

/** The commands of docs/operations.md that register the tables of a catalog that was lost, for these addresses. */
function registration(catalog: string): string {
  const text = readFileSync(join(root, "docs", "operations.md"), "utf8");
  const block = /```sh\nnpm start -- --only catalog[^\n]*\n\n([^`]*)```/.exec(text)![1]!;
  return block.replace("catalog=http://127.0.0.1:8181", `catalog=${catalog}`);
}

it(
  "a copy of a stopped lake is the lake as it was, and a lost catalog is registered anew",
  async () => {
    const dir = join(folder.path, "lake");
    const first = await start(dir);
    await send(first.addresses.ingest!, ["a", "b"]);
    expect(await countsOf(dir, first.addresses.query!)).toMatchObject({ received: 2, stored: 2 });
    await first.stop();
    const kept = join(folder.path, "copy");
    for (const part of ["nats", "warehouse", "state/catalog"])
      cpSync(join(dir, part), join(kept, part), { recursive: true });

    rmSync(dir, { recursive: true });
    cpSync(kept, dir, { recursive: true });
    const restored = await start(dir);
    expect(await countsOf(dir, restored.addresses.query!)).toMatchObject({ received: 2, stored: 2, duplicates: 0 });
    await send(restored.addresses.ingest!, ["b", "c"]);
    expect(await countsOf(dir, restored.addresses.query!)).toMatchObject({ received: 4, stored: 3, duplicates: 1 });
    await restored.stop();

    rmSync(join(dir, "state", "catalog"), { recursive: true });
    const catalog = await start(dir, "catalog");
    const answers = execFileSync("bash", ["-c", registration(catalog.addresses.catalog!)], {
      env: { ...process.env, FIRN_DATA_DIR: dir },
      encoding: "utf8",
    });
    await catalog.stop();
    expect(answers).toMatch(/health_data_raw 200/);
    expect(
      answers
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("{") && !line.endsWith(" 200")),
    ).toEqual([]);
    const again = await start(dir);
    expect(await countsOf(dir, again.addresses.query!)).toMatchObject({ received: 4, stored: 3, duplicates: 1 });
    await firn(dir, "check");
    await firn(dir, "verify");
    await again.stop();
  },
  limitMs,
);
