import type { TableDefinition } from "@firn/core";
import {
  definedIdentifier,
  isLakeError,
  tableName,
  type LakeEnvironment,
  type Table,
  type TableIdentifier,
} from "@firn/lake";

/** With its whole history, for time travel; without it the answer stays small however many snapshots there are. */
export type History = "all" | "refs";

/**
 * Tables as the catalog has them now. Every call gets the outcome of a load that began after it, so that an answer is
 * never older than the catalog was at the question; calls at the same time share one, and an unchanged table costs a
 * conditional request and keeps its object.
 */
export class TableCache {
  readonly #env: LakeEnvironment;
  readonly #entries = new Map<string, Entry>();

  constructor(env: LakeEnvironment) {
    this.#env = env;
  }

  load(definition: Pick<TableDefinition, "namespace" | "name">, history: History = "refs"): Promise<Table> {
    const identifier = definedIdentifier(definition);
    const key = `${history} ${tableName(identifier)}`;
    const entry = this.#entries.get(key) ?? { table: undefined, running: undefined, next: undefined };
    this.#entries.set(key, entry);
    return this.#shared(entry, identifier, history);
  }

  #shared(entry: Entry, identifier: TableIdentifier, history: History): Promise<Table> {
    const start = (): Promise<Table> => {
      entry.next = undefined;
      const load = this.#fresh(entry, identifier, history).finally(() => {
        if (entry.running === load) entry.running = undefined;
      });
      entry.running = load;
      return load;
    };
    if (entry.running === undefined) return start();
    // The running load may have begun before the last commit: wait for one that begins after it.
    entry.next ??= entry.running.then(start, start);
    return entry.next;
  }

  async #fresh(entry: Entry, identifier: TableIdentifier, history: History): Promise<Table> {
    const known = entry.table;
    const ifNoneMatch = known?.etag;
    try {
      const loaded = await this.#env.catalog.loadTable(identifier, {
        snapshots: history,
        ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
      });
      if (loaded !== "unchanged") {
        const { metadata, metadataLocation, etag } = loaded;
        entry.table = { identifier, metadata, metadataLocation, ...(etag === undefined ? {} : { etag }) };
      }
      return entry.table!;
    } catch (error) {
      if (isLakeError(error, "not_found")) entry.table = undefined;
      throw error;
    }
  }
}

interface Entry {
  table: Table | undefined;
  running: Promise<Table> | undefined;
  next: Promise<Table> | undefined;
}
