import { startMigratedDatabase, type MigratedDatabase, type PostgresServer } from "@firn/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  addPortfolio,
  findOrAddSecurities,
  forgetMirrorChanges,
  isDatabaseAway,
  isUniqueViolation,
  listMacroSeries,
  listPortfolios,
  listSecurities,
  metricsOf,
  migrateDatabase,
  nextMirrorChanges,
  portfolioByName,
  RelationalDatabase,
  removePortfolio,
  securitiesByTicker,
  widenDateRanges,
} from "../src/index.ts";

let relations: MigratedDatabase;
let server: PostgresServer;
let database: RelationalDatabase;

beforeAll(async () => {
  relations = await startMigratedDatabase("relations");
  ({ server, database } = relations);
});

afterAll(() => relations?.close());

const METRICS = { ann_ret: 0.1, ann_vol: 0.2, sharpe: 0.5, mdd: -0.3, skew: null, kurt: null, var: -0.01, cvar: -0.02 };

test("migrations run once, also when several processes begin at the same time", async () => {
  const ran = await Promise.all([1, 2, 3].map(() => migrateDatabase({ databaseUrl: server.databaseUrl })));
  expect(ran).toEqual([[], [], []]);
});

test("tables that were there before are kept, get what they lack, and are mirrored", async () => {
  const older = new RelationalDatabase({ databaseUrl: server.databaseUrl, name: "test" });
  await older.query("CREATE DATABASE older");
  await older.close();
  const databaseUrl = server.databaseUrl.replace(/\/postgres$/, "/older");
  const site = new RelationalDatabase({ databaseUrl, name: "test" });
  try {
    await site.query(
      "CREATE TABLE tb_meta (meta_id int PRIMARY KEY, ticker varchar(20) NOT NULL, iso_code varchar(2))",
    );
    await site.query("INSERT INTO tb_meta VALUES (7, 'AAPL', 'US')");
    await migrateDatabase({ databaseUrl });
    const { idByTicker } = await findOrAddSecurities(site, "US", ["AAPL", "MSFT"]);
    expect(Object.fromEntries(idByTicker)).toEqual({ AAPL: 7, MSFT: 8 });
    const changes = await nextMirrorChanges(site, 10);
    expect(changes.map(({ content }) => content["ticker"])).toEqual(["AAPL", "MSFT"]);
  } finally {
    await site.close();
  }
});

test("the macro series of the regime are there from the start", async () => {
  const series = await listMacroSeries(database);
  expect(series.map(({ fred }) => fred)).toEqual(
    expect.arrayContaining(["CPIAUCSL", "USRECD", "T10Y2Y", "UNRATE", "PAYEMS", "FEDFUNDS"]),
  );
});

test("an unknown ticker gets a row, once, also from two importers at once", async () => {
  const [one, two] = await Promise.all([
    findOrAddSecurities(database, "US", ["AAPL", "MSFT", "AAPL"]),
    findOrAddSecurities(database, "US", ["MSFT", "AAPL"]),
  ]);
  expect([...one.added, ...two.added].sort()).toEqual(["AAPL", "MSFT"]);
  expect(two.idByTicker.get("AAPL")).toBe(one.idByTicker.get("AAPL"));
  await findOrAddSecurities(database, "KR", ["AAPL"]);
  expect((await securitiesByTicker(database, ["AAPL"])).map(({ iso_code }) => iso_code)).toEqual(["US", "KR"]);
  expect(await listSecurities(database, { isoCode: "US", limit: 1 })).toHaveLength(1);
});

test("the range of days only widens, and dates are texts", async () => {
  const { idByTicker } = await findOrAddSecurities(database, "US", ["RANGE"]);
  const metaId = idByTicker.get("RANGE")!;
  await widenDateRanges(database, [{ metaId, minDate: "2020-01-02", maxDate: "2020-03-02" }]);
  await widenDateRanges(database, [{ metaId, minDate: "2020-02-02", maxDate: "2020-02-03" }]);
  expect((await securitiesByTicker(database, ["RANGE"]))[0]).toMatchObject({
    min_date: "2020-01-02",
    max_date: "2020-03-02",
  });
});

test("a portfolio is stored whole or not at all, and its name only once", async () => {
  const { idByTicker } = await findOrAddSecurities(database, "US", ["A", "B"]);
  const metaIds = [...idByTicker.values()];
  const portfolio = { name: "two", strategy: "eq", metaIds, metrics: METRICS };
  const portId = await database.transaction((client) => addPortfolio(client, portfolio));
  expect(await portfolioByName(database, "two")).toMatchObject({ port_id: portId, strategy: "eq" });
  const universe = await database.query("SELECT meta_id FROM tb_universe WHERE port_id = $1 ORDER BY meta_id", [
    portId,
  ]);
  expect(universe.rows.map((row) => row["meta_id"])).toEqual(metaIds.sort((a, b) => a - b));
  expect(await metricsOf(database, portId)).toEqual(METRICS);
  const again = database.transaction((client) => addPortfolio(client, portfolio));
  await expect(again).rejects.toSatisfy(isUniqueViolation);
  const unknown = { ...portfolio, name: "three", metaIds: [999_999] };
  await expect(database.transaction((client) => addPortfolio(client, unknown))).rejects.toThrow(/foreign key/);
  expect(await listPortfolios(database)).toHaveLength(1);
  await removePortfolio(database, portId);
  expect(await metricsOf(database, portId)).toBeUndefined();
});

test("every change of a mirrored relation is kept in order until it is carried over", async () => {
  await forgetMirrorChanges(database, await nextMirrorChanges(database, 1_000));
  await findOrAddSecurities(database, "KR", ["005930"]);
  await database.query("UPDATE tb_meta SET name = 'Samsung' WHERE ticker = '005930'");
  await database.query("DELETE FROM tb_meta WHERE ticker = '005930'");
  const changes = await nextMirrorChanges(database, 10);
  expect(changes.map(({ is_delete, content }) => [is_delete, content["name"]])).toEqual([
    [false, null],
    [false, "Samsung"],
    [true, "Samsung"],
  ]);
  await forgetMirrorChanges(database, changes);
  expect(await nextMirrorChanges(database, 10)).toEqual([]);
});

test("a database that is away is told from a wrong statement, and the pool goes on when it is back", async () => {
  await expect(database.query("SELECT nothing FROM nowhere")).rejects.toSatisfy((error) => !isDatabaseAway(error));
  await server.kill();
  await expect(database.query("SELECT 1")).rejects.toSatisfy(isDatabaseAway);
  await server.restart();
  expect((await database.query("SELECT count(*) AS n FROM tb_macro")).rows).toEqual([{ n: 7 }]);
});
