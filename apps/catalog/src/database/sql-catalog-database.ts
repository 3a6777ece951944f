import { tableName } from "@firn/lake";
import type { CatalogDatabase, DropNamespaceResult, SwapResult } from "./catalog-database.ts";
import { ensureLayout } from "./layout.ts";
import { namespaceRows } from "./namespace-rows.ts";
import { pointerRows } from "./pointer-rows.ts";
import type { SqlDatabase, SqlSession } from "./sql-database.ts";

/** Rolls a transaction back and carries the reason out of it. */
class SwapRefused extends Error {
  readonly result: SwapResult;
  constructor(result: SwapResult) {
    super("swap refused");
    this.result = result;
  }
}

/**
 * The catalog named `catalog` in a SQL database; its tables are made when they are missing. Whoever makes or removes a
 * namespace keeps out those who put something into one, so that nothing is left in a namespace that is gone.
 */
export async function openCatalogDatabase(sql: SqlDatabase, catalog: string): Promise<CatalogDatabase> {
  await ensureLayout(sql);
  const writing = <T>(mode: "shared" | "exclusive", work: (session: SqlSession) => Promise<T>): Promise<T> =>
    sql.transaction(async (session) => {
      await session.lock(`firn catalog namespaces ${catalog}`, mode);
      return work(session);
    });
  return {
    description: sql.description,
    listNamespaces: (parent) => namespaceRows.children(sql, catalog, parent),
    namespaceExists: (namespace) => namespaceRows.exists(sql, catalog, namespace),
    createNamespace: (namespace, properties) =>
      writing("exclusive", (session) => namespaceRows.create(session, catalog, namespace, properties)),
    loadNamespace: async (namespace) => {
      if (!(await namespaceRows.exists(sql, catalog, namespace))) return undefined;
      return namespaceRows.properties(sql, catalog, namespace);
    },
    updateNamespace: (namespace, change) =>
      writing("exclusive", (session) => namespaceRows.update(session, catalog, namespace, change)),
    dropNamespace: (namespace) => writing("exclusive", (session) => dropNamespace(session, catalog, namespace)),
    list: (kind, namespace) => pointerRows.list(sql, catalog, kind, namespace),
    loadPointer: (kind, identifier) => pointerRows.read(sql, catalog, kind, identifier),
    kindOf: (identifier) => pointerRows.kindOf(sql, catalog, identifier),
    swapPointers: async (kind, changes) => {
      // In one order everywhere, so that two transactions never wait for each other.
      const ordered = [...changes].sort((one, other) =>
        tableName(one.identifier) < tableName(other.identifier) ? -1 : 1,
      );
      try {
        return await writing("shared", async (session) => {
          for (const change of ordered) {
            const result = await pointerRows.swap(session, catalog, kind, change);
            if (result.kind !== "swapped") throw new SwapRefused(result);
          }
          return { kind: "swapped" } as const;
        });
      } catch (error) {
        if (error instanceof SwapRefused) return error.result;
        throw error;
      }
    },
    dropPointer: (kind, identifier) =>
      writing("shared", (session) => pointerRows.drop(session, catalog, kind, identifier)),
    renamePointer: (kind, from, to) =>
      writing("exclusive", (session) => pointerRows.rename(session, catalog, kind, from, to)),
    folderInUse: (folder) => pointerRows.folderInUse(sql, catalog, `${folder}/`),
    close: () => sql.close(),
  };
}

async function dropNamespace(session: SqlSession, catalog: string, namespace: string): Promise<DropNamespaceResult> {
  if (!(await namespaceRows.exists(session, catalog, namespace))) return { kind: "missing" };
  const tables = (await pointerRows.list(session, catalog, "table", namespace)).length;
  const views = (await pointerRows.list(session, catalog, "view", namespace)).length;
  const children = (await namespaceRows.children(session, catalog, namespace)).length;
  if (tables + views + children > 0) return { kind: "not_empty", tables, views, children };
  await namespaceRows.remove(session, catalog, namespace);
  return { kind: "dropped" };
}
