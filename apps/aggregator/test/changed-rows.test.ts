import { currentSnapshot, stageUpsert } from "@firn/lake";
import { afterAll, beforeAll, expect, test } from "vitest";
import { changedWindows } from "../src/window-source.ts";
import { dataset, openRaw, type RawFixture, samplesSql } from "./raw-fixture.ts";

let raw: RawFixture;
beforeAll(async () => {
  raw = await openRaw();
  await raw.append(samplesSql("range(20000)", "1.5"));
});
afterAll(() => raw.close());

test("of a large file whose rows were corrected only the corrected rows count as changed", async () => {
  const before = currentSnapshot((await raw.table()).metadata)!["snapshot-id"];
  for (const numbers of ["(VALUES (1), (2), (3), (5))", "(VALUES (7))"]) {
    const table = await raw.table();
    const rowsSql = samplesSql(numbers, "2.5");
    const upsert = await stageUpsert(raw.connection, {
      env: raw.env,
      table,
      rowsSql,
      keyColumns: dataset.raw.identity,
      copyOnWriteRows: 0,
    });
    expect(upsert.addedDeletes.length).toBeGreaterThan(0);
    await raw.commit({ operation: "overwrite", ...upsert });
  }
  const table = await raw.table();
  const after = currentSnapshot(table.metadata)!["snapshot-id"];
  const source = await changedWindows(raw.env, dataset, table, before, after);
  // Each correction adds a row and takes one away.
  expect(Object.fromEntries(source!.rowsByValue)).toEqual({ type0: 2, type1: 8 });
});
