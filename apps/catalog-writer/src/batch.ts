/**
 * A batch on its way to a table: the messages of one stream, loaded into a DuckDB table in arrival order.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TableDefinition } from "@firn/core";
import type { KernelConnection } from "@firn/lake";
import type { LogRecord } from "@firn/stream";
import { createBatchSql, loadColumnBatchesSql, loadRejectedBatchesSql } from "./record-sql.ts";

/** Messages wait in memory until this much is there, then in files. */
const heldBytesMax = 4 * 1024 * 1024;
/** Files that one statement loads together. */
const bytesPerLoad = 16 * 1024 * 1024;

export type MessageKind = "accepted" | "rejected";

export class Batch {
  readonly #connection: KernelConnection;
  readonly #definition: TableDefinition;
  readonly #kind: MessageKind;
  readonly #folder: string;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  readonly #files: { readonly path: string; readonly bytes: number }[] = [];
  #created = false;
  #spooled = 0;
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

  /** Takes a message in; its bytes wait in memory or in a file until `load`. */
  add(record: LogRecord, nowMs: number): void {
    if (this.messages === 0) this.firstArrivalMs = nowMs;
    this.messages++;
    this.bytes += record.data.byteLength;
    this.lastSequence = record.sequence;
    const records = record.headers["Firn-Records"];
    if (records !== undefined) this.received.set(Number(record.subject.split(".").at(-1)), Number(records));
    this.#held.push(record.data);
    this.#heldBytes += record.data.byteLength;
    if (this.#heldBytes >= heldBytesMax) this.#spool();
  }

  /** Brings every message into the DuckDB table, in order. */
  async load(): Promise<void> {
    if (!this.#created) await this.#connection.run(createBatchSql(this.name, this.#definition));
    this.#created = true;
    this.#spool();
    const sql = this.#kind === "accepted" ? loadColumnBatchesSql : loadRejectedBatchesSql;
    while (this.#files.length > 0) {
      const files = [this.#files.shift()!];
      for (let bytes = files[0]!.bytes; this.#files[0] && bytes + this.#files[0].bytes <= bytesPerLoad;) {
        bytes += this.#files[0].bytes;
        files.push(this.#files.shift()!);
      }
      const paths = files.map((file) => file.path);
      const objectBytesMax = Math.max(...files.map((file) => file.bytes)) + 1024;
      await this.#connection.run(sql(this.name, this.#definition, paths, objectBytesMax));
      for (const path of paths) rmSync(path, { force: true });
    }
  }

  #spool(): void {
    if (this.#held.length > 0) mkdirSync(this.#folder, { recursive: true });
    for (const data of this.#held) {
      const path = join(this.#folder, `${this.#spooled++}.json`);
      writeFileSync(path, data);
      this.#files.push({ path, bytes: data.byteLength });
    }
    this.#held = [];
    this.#heldBytes = 0;
  }

  async drop(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#created) await this.#connection.run(`DROP TABLE IF EXISTS ${this.name}`);
  }
}
