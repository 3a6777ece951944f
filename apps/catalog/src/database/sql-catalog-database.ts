import { tableName } from "@firn/lake";
import { AlreadyApplied, currentAttempt } from "../requests/attempt.ts";
import type { CatalogDatabase, DropNamespaceResult, EntryKind, PointerChange, SwapResult } from "./catalog-database.ts";
import { ensureLayout } from "./layout.ts";
import { namespaceRows } from "./namespace-rows.ts";
import { pointerRows } from "./pointer-rows.ts";
import { requestRows } from "./request-rows.ts";
import type { SqlDatabase, SqlSession } from "./sql-database.ts";

/** Rolls a transaction back and carries the reason out of it. */
class SwapRefused extends Error {
  readonly result: SwapResult;
  constructor(result: SwapResult) {
    super("swap refused");
    this.result = result;
  }
}

type Mode = "shared" | "exclusive";

/** Runs work in a transaction; `changed` tells by the result whether something was, and `location` of which file. */
type Writing = <T>(
  mode: Mode,
  work: (session: SqlSession) => Promise<T>,
  changed: (result: T) => boolean,
  location?: string | null,
) => Promise<T>;

/**
 * The catalog named `catalog` in a SQL database; its tables are made when they are missing. Whoever makes or removes a
 * namespace keeps out those who put something into one, so that nothing is left in a namespace that is gone.
 */
export async function openCatalogDatabase(
  sql: SqlDatabase,
  catalog: string,
  nowMs: () => number,
): Promise<CatalogDatabase> {
  await ensureLayout(sql);
  const writing: Writing = (mode, work, changed, location = null) =>
    sql.transaction(async (session) => {
      await session.lock(`firn catalog namespaces ${catalog}`, mode);
      const result = await work(session);
      const attempt = currentAttempt.getStore();
      if (attempt === undefined || !changed(result)) return result;
      if (!(await requestRows.add(session, catalog, attempt, location, nowMs()))) throw new AlreadyApplied();
      return result;
    });
  return {
    description: sql.description,
    ...namespaceMethods(sql, catalog, writing),
    ...pointerMethods(sql, catalog, writing),
    findRequest: (key) => requestRows.find(sql, catalog, key),
    answerRequest: (attempt, answer, atMs) => requestRows.answer(sql, catalog, attempt, answer, atMs),
    forgetRequests: (beforeMs) => requestRows.forget(sql, catalog, beforeMs),
    close: () => sql.close(),
  };
}

function namespaceMethods(sql: SqlDatabase, catalog: string, writing: Writing) {
  return {
    listNamespaces: (parent) => namespaceRows.children(sql, catalog, parent),
    namespaceExists: (namespace) => namespaceRows.exists(sql, catalog, namespace),
    loadNamespace: async (namespace) => {
      if (!(await namespaceRows.exists(sql, catalog, namespace))) return undefined;
      return namespaceRows.properties(sql, catalog, namespace);
    },
    createNamespace: (namespace, properties) =>
      writing("exclusive", (session) => namespaceRows.create(session, catalog, namespace, properties), Boolean),
    updateNamespace: (namespace, change) =>
      writing(
        "exclusive",
        (session) => namespaceRows.update(session, catalog, namespace, change),
        (result) => result !== undefined,
      ),
    dropNamespace: (namespace) =>
      writing(
        "exclusive",
        (session) => dropNamespace(session, catalog, namespace),
        (result) => result.kind === "dropped",
      ),
  } satisfies Partial<CatalogDatabase>;
}

function pointerMethods(sql: SqlDatabase, catalog: string, writing: Writing) {
  return {
    list: (kind, namespace) => pointerRows.list(sql, catalog, kind, namespace),
    loadPointer: (kind, identifier) => pointerRows.read(sql, catalog, kind, identifier),
    kindOf: (identifier) => pointerRows.kindOf(sql, catalog, identifier),
    folderInUse: (folder) => pointerRows.folderInUse(sql, catalog, `${folder}/`),
    swapPointers: async (kind, changes) => {
      const location = changes.length === 1 ? (changes[0]?.newLocation ?? null) : null;
      const swap = (session: SqlSession): Promise<SwapResult> => swapAll(session, catalog, kind, changes);
      try {
        return await writing("shared", swap, () => true, location);
      } catch (error) {
        if (error instanceof SwapRefused) return error.result;
        throw error;
      }
    },
    dropPointer: (kind, identifier) =>
      writing(
        "shared",
        (session) => pointerRows.drop(session, catalog, kind, identifier),
        (location) => location !== undefined,
      ),
    renamePointer: (kind, from, to) =>
      writing(
        "exclusive",
        (session) => pointerRows.rename(session, catalog, kind, from, to),
        (result) => result.kind === "renamed",
      ),
  } satisfies Partial<CatalogDatabase>;
}

/** In one order everywhere, so that two transactions never wait for each other. */
async function swapAll(
  session: SqlSession,
  catalog: string,
  kind: EntryKind,
  changes: readonly PointerChange[],
): Promise<SwapResult> {
  const ordered = [...changes].sort((one, other) => (tableName(one.identifier) < tableName(other.identifier) ? -1 : 1));
  for (const change of ordered) {
    const result = await pointerRows.swap(session, catalog, kind, change);
    if (result.kind !== "swapped") throw new SwapRefused(result);
  }
  return { kind: "swapped" };
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
