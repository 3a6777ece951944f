import { randomBytes, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest } from "@firn/lake";
import { bundleScript, freePort, startScript, tempFolder, type AppProcess, type TempFolder } from "@firn/testing";
import { callCatalog } from "./http-call.ts";
import { STORAGES, type Storage } from "./running-catalog.ts";

const SCRIPT = join(import.meta.dirname, "..", "dist", `crash-test-${process.pid}.mjs`);
const ROUNDS = 3;
const COMMITTERS = 4;
const TABLES = ["a", "b"].map((name) => ({ namespace: ["ns"], name }));

beforeAll(() => bundleScript(join(import.meta.dirname, "..", "src", "main.ts"), SCRIPT));
afterAll(() => rm(SCRIPT, { force: true }));

const newKey = (): string => `0199${randomBytes(2).toString("hex")}-0000-7${randomUUID().slice(15)}`;

describe.each(STORAGES)("a catalog that is killed during commits, pointers in %s", (_, open) => {
  let storage: Storage;
  let folder: TempFolder;
  let app: AppProcess;
  let environment: Readonly<Record<string, string>>;
  beforeAll(async () => {
    storage = await open();
    folder = await tempFolder("catalog-crash");
    environment = {
      FIRN_PORT: String(await freePort()),
      FIRN_LOG_LEVEL: "warn",
      FIRN_DATA_DIR: folder.path,
      ICEBERG_WAREHOUSE: `${folder.path}/warehouse`,
      ...storage.environment(),
    };
    app = await start();
    const catalog = new RestCatalog({ uri: app.url });
    await catalog.createNamespace(["ns"]);
    const request = createTableRequest({ columns: [], identity: [], partition: [], sort: [], properties: {} });
    for (const identifier of TABLES) await catalog.createTable(identifier, request);
  });
  afterAll(async () => {
    await app?.stop();
    await storage?.close();
    await folder?.remove();
  });

  const start = (): Promise<AppProcess> => startScript(SCRIPT, { app: "catalog", env: environment });
  const commit = async (n: number, key: string): Promise<void> => {
    const updates = [{ action: "set-properties", updates: { [`p${n}`]: "1" } }];
    const body = { "table-changes": TABLES.map((identifier) => ({ identifier, requirements: [], updates })) };
    const headers = { "idempotency-key": key };
    const { status } = await callCatalog(app.url, "POST", "/v1/transactions/commit", body, headers);
    if (status !== 204) throw new Error(`answered ${status}`);
  };

  /** Commits on both tables until the process is gone: those acknowledged, and those that nobody knows of. */
  async function commitUntilKilled(from: number): Promise<{ known: number[]; unknown: Map<number, string> }> {
    const known: number[] = [];
    const unknown = new Map<number, string>();
    let next = from;
    const committer = async (): Promise<void> => {
      for (;;) {
        const [n, key] = [next++, newKey()];
        try {
          await commit(n, key);
          known.push(n);
        } catch {
          unknown.set(n, key);
          return;
        }
      }
    };
    const committers = Array.from({ length: COMMITTERS }, committer);
    await sleep(100 + Math.random() * 200);
    await app.kill();
    await Promise.all(committers);
    return { known, unknown };
  }

  it("shows every acknowledged commit, none in half, and each once when it is sent again", async () => {
    const sent: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { known, unknown } = await commitUntilKilled(1000 * round);
      sent.push(...known, ...unknown.keys());
      app = await start();
      const found = await Promise.all(TABLES.map((identifier) => propertiesOf(app.url, identifier)));
      expect(found[0]).toEqual(found[1]);
      for (const n of known) expect(found[0]).toContain(n);
      for (const [n, key] of unknown) await commit(n, key);
      expect((await propertiesOf(app.url, TABLES[0]!)).sort()).toEqual([...sent].sort());
    }
    for (const identifier of TABLES) {
      const { metadataLocation } = await new RestCatalog({ uri: app.url }).loadTable(identifier);
      // The number in the file's name counts the commits since the table was made.
      expect(Number(/\/(\d+)-[^/]*$/.exec(metadataLocation)?.[1])).toBe(sent.length);
    }
    console.log(`killed ${ROUNDS} times over ${sent.length} commits on two tables: none lost, halved or doubled`);
    expect(sent.length).toBeGreaterThan(ROUNDS * COMMITTERS);
  }, 120_000);
});

async function propertiesOf(uri: string, identifier: (typeof TABLES)[number]): Promise<number[]> {
  const { metadata } = await new RestCatalog({ uri }).loadTable(identifier);
  return Object.keys(metadata.properties).flatMap((key) => (/^p\d+$/.test(key) ? [Number(key.slice(1))] : []));
}
