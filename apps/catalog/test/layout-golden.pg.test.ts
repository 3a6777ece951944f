import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres, tempFolder, type PostgresServer, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openPostgresSql } from "../src/database/postgres-sql.ts";
import { openCatalogDatabase } from "../src/database/sql-catalog-database.ts";
import type { SqlDatabase } from "../src/database/sql-database.ts";
import { openSqliteSql } from "../src/database/sqlite-sql.ts";

let folder: TempFolder;
let server: PostgresServer;
let databases = 0;

beforeAll(async () => {
  folder = await tempFolder("layout");
  server = await startPostgres({ dir: join(folder.path, "postgres") });
});
afterAll(async () => {
  await server?.stop();
  await folder?.remove();
});

/** A database as a release left it behind. */
async function leftBehind(golden: string, open: (name: string) => Promise<SqlDatabase>): Promise<SqlDatabase> {
  const sql = await open(`layout_${++databases}`);
  const statements = readFileSync(join(import.meta.dirname, "golden", golden), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("--"));
  await sql.transaction(async (session) => {
    for (const statement of statements) await session.run(statement, []);
  });
  return sql;
}

const KINDS: readonly (readonly [string, (name: string) => Promise<SqlDatabase>])[] = [
  ["SQLite", (name) => Promise.resolve(openSqliteSql(join(folder.path, `${name}.db`)))],
  [
    "PostgreSQL",
    async (name) => {
      const admin = openPostgresSql(server.databaseUrl, () => undefined);
      await admin.rows(`CREATE DATABASE ${name}`, []);
      await admin.close();
      return openPostgresSql(server.databaseUrl.replace(/\/postgres$/, `/${name}`), () => undefined);
    },
  ],
];

describe.each(KINDS)("a catalog in %s", (_, open) => {
  test.each(["layout.v0.sql", "layout.v1.sql"])("of %s is gone on with", async (golden) => {
    const sql = await leftBehind(golden, open);
    const database = await openCatalogDatabase(sql, "firn", () => 0);
    try {
      const kept = { namespace: ["ns"], name: "kept" };
      expect(await database.listNamespaces("")).toEqual(["ns"]);
      expect((await database.loadPointer("table", kept))?.metadataLocation).toContain("1.metadata.json");
      const swapped = await database.swapPointers("table", [
        {
          identifier: kept,
          oldLocation: "file:///w/ns/kept/metadata/1.metadata.json",
          newLocation: "file:///w/ns/kept/metadata/2.metadata.json",
        },
      ]);
      expect(swapped).toEqual({ kind: "swapped" });
      const answered = await database.findRequest("0198c7a0-0000-7000-8000-000000000001");
      expect(answered?.fingerprint).toBe(golden === "layout.v1.sql" ? "abc" : undefined);
      expect(await sql.rows("SELECT version FROM firn_catalog_layout", [])).toEqual([{ version: 1 }]);
    } finally {
      await database.close();
    }
  });

  test("of a newer release is refused, and left as it is", async () => {
    const sql = await leftBehind("layout.v1.sql", open);
    await sql.transaction((session) => session.run("UPDATE firn_catalog_layout SET version = 2", []));
    try {
      await expect(openCatalogDatabase(sql, "firn", () => 0)).rejects.toThrow(
        /database has layout 2: this release knows 1; run the newer Firn/,
      );
      expect(await sql.rows("SELECT version FROM firn_catalog_layout", [])).toEqual([{ version: 2 }]);
    } finally {
      await sql.close();
    }
  });
});
