/**
 * A batch on its way to a table: the messages of one stream, loaded into a DuckDB table in arrival order.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TableDefinition } from "@firn/core";
import type { KernelConnection } from "@firn/lake";
import type { LogRecord } from "@firn/stream";
import { createBatchSql, loadColumnBatchesSql, loadRejectedBatchesSql } from "./record-sql.ts";

/** Messages wait as bytes until this much is there, then go into the table together. */
const loadBytesMin = 4 * 1024 * 1024;

export type MessageKind = "accepted" | "rejected";

/** What the headers of an accepted message say of its shard. */
export interface ShardProgress {
  readonly records: number;
}

export class Batch {
  readonly #connection: KernelConnection;
  readonly #definition: TableDefinition;
  readonly #kind: MessageKind;
  readonly #folder: string;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #loads = 0;
  #created = false;
  /** Name of the DuckDB table. */
  readonly name: string;
  messages = 0;
  bytes = 0;
  /** Last sequence of the stream that is in the batch; 0 while it is empty. */
  lastSequence = 0;
  firstArrivalMs = 0;
  /** Cumulative records received, by shard, as the last message says. */
  readonly received = new Map<number, number>();

  constructor(options: {
    connection: KernelConnection;
    definition: TableDefinition;
    kind: MessageKind;
    folder: string;
    name: string;
  }) {
    this.#connection = options.connection;
    this.#definition = options.definition;
    this.#kind = options.kind;
    this.#folder = join(options.folder, options.name);
    this.name = options.name;
  }

  /** Takes a message in; the bytes stay in memory until `load`. */
  async add(record: LogRecord, nowMs: number): Promise<void> {
    if (this.messages === 0) this.firstArrivalMs = nowMs;
    this.messages++;
    this.bytes += record.data.byteLength;
    this.lastSequence = record.sequence;
    const records = record.headers["Firn-Records"];
    if (records !== undefined) this.received.set(Number(record.subject.split(".").at(-1)), Number(records));
    this.#waiting.push(record.data);
    this.#waitingBytes += record.data.byteLength;
    if (this.#waitingBytes >= loadBytesMin) await this.load();
  }

  /** Brings everything that waits into the DuckDB table. */
  async load(): Promise<void> {
    if (!this.#created) await this.#connection.run(createBatchSql(this.name, this.#definition));
    this.#created = true;
    if (this.#waiting.length === 0) return;
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    mkdirSync(this.#folder, { recursive: true });
    const files = messages.map((data) => {
      const path = join(this.#folder, `${this.#loads++}.json`);
      writeFileSync(path, data);
      return path;
    });
    const objectBytesMax = Math.max(...messages.map((data) => data.byteLength)) + 1024;
    const sql = this.#kind === "accepted" ? loadColumnBatchesSql : loadRejectedBatchesSql;
    await this.#connection.run(sql(this.name, this.#definition, files, objectBytesMax));
    for (const path of files) rmSync(path, { force: true });
  }

  async drop(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#created) await this.#connection.run(`DROP TABLE IF EXISTS ${this.name}`);
  }
}
