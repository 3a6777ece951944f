import { shardOfSubject } from "@firn/core";
import type { KernelConnection } from "@firn/lake";
import { join } from "node:path";
import { Batch, type MessageKind } from "./batch.ts";
import type { KeyedTableOptions } from "./keyed-table.ts";

export interface OpenBatchesOptions {
  /** Of the stage. */
  readonly name: string;
  readonly kind: MessageKind;
  readonly table: KeyedTableOptions;
  /** Connection on which batches are loaded while another is committed. */
  readonly loadConnection: KernelConnection;
  readonly folder: string;
}

/** The batches of a table that are gathered or committed: two at a time, each with a name and a file of its own. */
export class OpenBatches {
  readonly #options: OpenBatchesOptions;
  /** Oldest first. */
  readonly #open = new Set<Batch>();
  #made = 0;

  constructor(options: OpenBatchesOptions) {
    this.#options = options;
  }

  /** Another one, empty. */
  add(): Batch {
    const { kind, folder, loadConnection, table, name } = this.#options;
    const number = this.#made++;
    const sqlName = name.replaceAll(/\W/g, "_");
    const batch = new Batch({
      connection: loadConnection,
      shape: table,
      index: table.index,
      kind,
      // One batch is committed while the next one fills.
      file: join(folder, `${sqlName}_${number % 2}.json`),
      name: `batch_${sqlName}_${number}`,
    });
    this.#open.add(batch);
    return batch;
  }

  /** Committed, or of no use. */
  async drop(batch: Batch): Promise<void> {
    this.#open.delete(batch);
    await batch.drop();
  }

  /** How long the oldest message of each shard waits for its commit; 0 where none does. */
  lagSeconds(nowMs: number): Map<number, number> {
    const lags = new Map(this.#options.table.subjects.map((subject) => [shardOfSubject(subject), 0]));
    for (const { oldest } of this.#open)
      for (const [shard, storedMs] of oldest)
        lags.set(shard, Math.max(lags.get(shard) ?? 0, (nowMs - storedMs) / 1000));
    return lags;
  }
}
