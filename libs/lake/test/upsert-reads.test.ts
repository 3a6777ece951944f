import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lakeEnvironment } from "../src/commit/environment.ts";
import { loadTable, type Table } from "../src/commit/table.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { eq } from "../src/scan/predicate.ts";
import { stageUpsert, type StageUpsertOptions } from "../src/upsert/stage-upsert.ts";
import { countingStore } from "./counting-store.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

const columns = [
  { name: "id", type: "string", required: true },
  { name: "day", type: "int", required: true },
  { name: "kind", type: "string", required: false },
] as const;
const rowSql = (id: string, day: number, kind = "x") => `SELECT '${id}' AS id, ${day} AS day, '${kind}' AS kind`;

/** A day a commit, so that each has a manifest of its own. */
async function tableOfDays(days: number): Promise<Table> {
  const partition = ["day", "kind"].map((source) => ({ source, transform: "identity" as const, name: source }));
  let table = await lake.createTable({ columns: [...columns], partition, identity: ["id"] });
  for (let day = 0; day < days; day++) {
    const relationSql = `${rowSql(`a${day}`, day)} UNION ALL ${rowSql(`b${day}`, day, "y")}`;
    const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql });
    table = await lake.commit(table, { operation: "append", addedData });
  }
  return table;
}

/** Stages an upsert as a process that has read nothing yet; what it reads of the table's metadata is counted. */
async function stageCold({ identifier }: Table, options: Omit<StageUpsertOptions, "env" | "table" | "keyColumns">) {
  const { store, calls } = countingStore(lake.env.store);
  const env = lakeEnvironment({ catalog: lake.env.catalog, store });
  const table = await loadTable(env, identifier);
  const staged = await stageUpsert(lake.connection, { env, table, keyColumns: ["id"], ...options });
  return { staged, read: calls["get"] ?? 0 };
}

describe("stageUpsert", () => {
  it("reads the manifests of the partitions that its rows and candidates lie in, however many there are", async () => {
    for (const days of [4, 12]) {
      const table = await tableOfDays(days);
      // The list of manifests, and the manifests of two days.
      const { staged, read } = await stageCold(table, { rowsSql: rowSql("a2", 3), candidates: eq("day", 2) });
      expect(staged).toMatchObject({ inserted: 0, updated: 1 });
      expect(staged.removedData.map((file) => file.partition)).toEqual([{ day: 2, kind: "x" }]);
      expect(read).toBe(3);
    }
  });

  it("reads all of them where nothing is known of where the rows lie", async () => {
    const table = await tableOfDays(4);
    const { staged, read } = await stageCold(table, { rowsSql: rowSql("a2", 3) });
    expect(staged).toMatchObject({ inserted: 0, updated: 1 });
    expect(read).toBe(5);
  });
});
