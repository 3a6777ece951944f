import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres, tempFolder, type PostgresServer, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

import { findOrAddSecurities, listMacroSeries, migrateDatabase, RelationalDatabase } from "../src/index.ts";

/** The schema as the release that first had this migration made it. A migration never changes: a new one follows it. */
const FIRST = "1763740800000_relations";
const golden = readFileSync(join(import.meta.dirname, "golden", `${FIRST}.sql`), "utf8");

let folder: TempFolder;
let server: PostgresServer;
const open: RelationalDatabase[] = [];

beforeAll(async () => {
  folder = await tempFolder("schema");
  server = await startPostgres({ dir: folder.path });
});
afterAll(async () => {
  for (const database of open) await database.close();
  await server?.stop();
  await folder?.remove();
});

async function newDatabase(name: string): Promise<{ databaseUrl: string; database: RelationalDatabase }> {
  const admin = new RelationalDatabase({ databaseUrl: server.databaseUrl, name: "test" });
  await admin.query(`CREATE DATABASE ${name}`).finally(() => admin.close());
  const databaseUrl = server.databaseUrl.replace(/\/postgres$/, `/${name}`);
  const database = new RelationalDatabase({ databaseUrl, name: "test" });
  open.push(database);
  return { databaseUrl, database };
}

async function columnsOf(database: RelationalDatabase): Promise<unknown[]> {
  const { rows } = await database.query(
    `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
     WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`,
  );
  return rows;
}

/** A database as the first release left it: its schema, and the migration written down. */
async function ofFirstRelease(name: string) {
  const { databaseUrl, database } = await newDatabase(name);
  await database.query(golden);
  await database.query(
    "CREATE TABLE firn_migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)",
  );
  await database.query("INSERT INTO firn_migrations (name, run_on) VALUES ($1, now())", [FIRST]);
  return { databaseUrl, database };
}

test("a database of the first release is migrated and gone on with", async () => {
  const { databaseUrl, database } = await ofFirstRelease("first");
  const { idByTicker } = await findOrAddSecurities(database, "US", ["AAPL"]);
  expect(await migrateDatabase({ databaseUrl })).not.toContain(FIRST);
  expect((await findOrAddSecurities(database, "US", ["AAPL"])).idByTicker).toEqual(idByTicker);
  expect((await listMacroSeries(database)).length).toBeGreaterThan(0);
  const fresh = await newDatabase("fresh");
  await migrateDatabase({ databaseUrl: fresh.databaseUrl });
  expect(await columnsOf(database)).toEqual(await columnsOf(fresh.database));
});

test("a database that a newer release has migrated is refused, and left as it is", async () => {
  const { databaseUrl, database } = await ofFirstRelease("newer");
  await database.query("INSERT INTO firn_migrations (name, run_on) VALUES ('2763740800000_later', now())");
  const before = await columnsOf(database);
  await expect(migrateDatabase({ databaseUrl })).rejects.toThrow(
    /migrations that this release does not know \(2763740800000_later\): run the newer Firn/,
  );
  expect(await columnsOf(database)).toEqual(before);
});
