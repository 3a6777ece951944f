/**
 * The tables that the lake has made, by uuid, remembered outside of the catalog: a table that is gone, or that another
 * one has taken the place of, is not mistaken for one that was never made.
 */
import {
  type Dataset,
  type KnownTable,
  pipelineIdProperty,
  type TableDefinition,
  tableKey,
  tablesOf,
} from "@firn/core";
import type { LakeEnvironment, Table } from "@firn/lake";
import type { AttemptStore } from "@firn/stream";
import { findTable, makeTable } from "./tables.ts";

const pipelineIdKey = "pipeline-id";

/** `missing` and `other`: not the table that the lake has made. */
export type TableState =
  | { readonly kind: "known"; readonly table: Table }
  | { readonly kind: "missing" }
  | { readonly kind: "other"; readonly table: Table };

export class KnownTables {
  readonly #env: LakeEnvironment;
  readonly #store: AttemptStore;
  readonly #uuids = new Map<string, string>();

  constructor(env: LakeEnvironment, store: AttemptStore) {
    this.#env = env;
    this.#store = store;
  }

  /**
   * At the start: makes the tables that were never made. One that is there and not remembered is taken as the lake's
   * (the store was lost, or the process ended between the two).
   * @returns the names of the tables that were made
   */
  async makeFirst(dataset: Dataset): Promise<string[]> {
    const made: string[] = [];
    for (const definition of tablesOf(dataset)) {
      if ((await this.#remembered(definition)) !== undefined) continue;
      const { table, isNew } = await this.#findOrMake(definition);
      await this.remember(definition, table);
      if (isNew) made.push(`${definition.namespace}.${definition.name}`);
    }
    return made;
  }

  async state(definition: TableDefinition): Promise<TableState> {
    const table = await findTable(this.#env, definition);
    if (table === undefined) return { kind: "missing" };
    const known = await this.#remembered(definition);
    return { kind: known === table.metadata["table-uuid"] ? "known" : "other", table };
  }

  /** The table that is there, known or not; where none is, one is made. */
  async findOrMake(definition: TableDefinition): Promise<Table> {
    return (await this.#findOrMake(definition)).table;
  }

  /** From now on this table is the lake's. */
  async remember(definition: TableDefinition, { metadata }: Table): Promise<void> {
    const known: KnownTable = { uuid: metadata["table-uuid"] };
    const key = tableKey(definition.namespace, definition.name);
    await this.#store.put(key, known);
    this.#uuids.set(key, known.uuid);
    const id = metadata.properties[pipelineIdProperty];
    if (id !== undefined && (await this.#store.get(pipelineIdKey)) === undefined)
      await this.#store.put(pipelineIdKey, id);
  }

  async #findOrMake(definition: TableDefinition): Promise<{ table: Table; isNew: boolean }> {
    const found = await findTable(this.#env, definition);
    if (found) return { table: found, isNew: false };
    return { table: await makeTable(this.#env, definition, await this.#pipelineId()), isNew: true };
  }

  /** The store may have lost it while this process was running. */
  async #remembered(definition: TableDefinition): Promise<string | undefined> {
    const key = tableKey(definition.namespace, definition.name);
    const stored = (await this.#store.get(key)) as KnownTable | undefined;
    if (stored) {
      this.#uuids.set(key, stored.uuid);
      return stored.uuid;
    }
    const uuid = this.#uuids.get(key);
    if (uuid !== undefined) await this.#store.put(key, { uuid } satisfies KnownTable);
    return uuid;
  }

  async #pipelineId(): Promise<string> {
    return ((await this.#store.get(pipelineIdKey)) as string | undefined) ?? this.#env.randomness.uuid();
  }
}
