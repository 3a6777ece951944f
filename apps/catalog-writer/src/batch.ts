/**
 * A batch on its way to a table: the messages of one stream, loaded into DuckDB in arrival order, part by part as they
 * come.
 *
 * A large batch makes few large files of many partitions, so it is worth waiting for; to be able to, the parts of a
 * batch are kept compressed (about 80 bytes a sample instead of 310) in a database of the batch's own, in memory.
 */
import { closeSync, mkdirSync, openSync, writevSync } from "node:fs";
import { dirname } from "node:path";
import { OP_COLUMN, RECORDS_HEADER, shardOfSubject } from "@firn/core";
import { type KernelConnection, sqlName } from "@firn/lake";
import { LINKS_MAX, originsOf } from "@firn/service";
import type { LogRecord } from "@firn/stream";
import type { KeyIndex } from "./key-index/key-index.ts";
import { type KeyShape, readKeys, takenKeys } from "./keyed-rows.ts";
import { loadColumnBatchesSql, loadRejectedBatchesSql } from "./record-sql.ts";
import type { BatchKeys } from "./resolve.ts";

/** Messages wait in memory until this much is there, then they are loaded. */
export const heldBytesMax = 8 * 1024 * 1024;

/** POSIX lets one writev have 1,024. */
const buffersPerWrite = 512;

export type MessageKind = "accepted" | "rejected";

export interface BatchOptions {
  /** Used by one batch at a time. */
  readonly connection: KernelConnection;
  readonly shape: KeyShape;
  readonly index: KeyIndex;
  readonly kind: MessageKind;
  /** The file that messages are loaded from, made where it is missing; for one batch at a time. */
  readonly file: string;
  /** An SQL name that no other batch has. */
  readonly name: string;
}

interface Part {
  readonly table: string;
  readonly firstRow: number;
}

export class Batch {
  readonly #options: BatchOptions;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  readonly #parts: Part[] = [];
  readonly #keys: BatchKeys[] = [];
  #attached = false;
  rows = 0;
  messages = 0;
  bytes = 0;
  /** Last sequence of the stream that is in the batch; 0 while it is empty. */
  lastSequence = 0;
  firstArrivalMs = 0;
  /** Cumulative records received, by shard, as the last message says. */
  readonly received = new Map<number, number>();
  /** When the validator stored the oldest message of each shard, in milliseconds. */
  readonly oldest = new Map<number, number>();
  /** Spans that the messages came from, each once. */
  readonly origins = new Set<string>();

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** Bytes of messages that wait to be loaded. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes a message in; its bytes wait in memory until `absorb` or `load`. */
  add(record: LogRecord, nowMs: number): void {
    if (this.messages === 0) this.firstArrivalMs = nowMs;
    this.messages++;
    this.bytes += record.data.byteLength;
    this.lastSequence = record.sequence;
    const shard = shardOfSubject(record.subject);
    if (!this.oldest.has(shard)) this.oldest.set(shard, record.timestampMs);
    const records = record.headers[RECORDS_HEADER];
    if (records !== undefined) this.received.set(shard, Number(records));
    if (this.origins.size < LINKS_MAX) for (const origin of originsOf([record])) this.origins.add(origin);
    this.#held.push(record.data);
    this.#heldBytes += record.data.byteLength;
  }

  /** Loads what waits when it is much, and packs it. */
  async absorb(): Promise<void> {
    if (this.#heldBytes < heldBytesMax) return;
    await this.#loadHeld();
    await this.#options.connection.run(`CHECKPOINT ${this.#options.name}`);
  }

  /** Brings every message into DuckDB; identities, contents and places of all records. */
  async load(): Promise<BatchKeys> {
    await this.#loadHeld();
    return takenKeys(this.#keys.splice(0));
  }

  /** A SELECT of the table's columns and `__row`, the number of the record; some records of a condition over both. */
  relationSql(where = "true"): string {
    const { definition } = this.#options.shape;
    const columns = definition.columns.map((column) => sqlName(column.name)).join(", ");
    const parts = this.#parts.map(
      ({ table, firstRow }) => `SELECT ${columns}, (rowid + ${firstRow})::INTEGER AS __row FROM ${table}`,
    );
    return `SELECT * FROM (${parts.join(" UNION ALL ")}) WHERE ${where}`;
  }

  /** The loaded batch as one table that may be changed: the table's columns and `_op`, `rowid` being the record's number. */
  async asTable(): Promise<string> {
    const { connection, name, shape } = this.#options;
    const columns = [...shape.definition.columns.map((column) => sqlName(column.name)), OP_COLUMN].join(", ");
    const whole = `${name}.whole`;
    const parts = this.#parts.map(({ table }) => `SELECT ${columns} FROM ${table}`);
    await connection.run(`CREATE TABLE ${whole} AS ${parts.join(" UNION ALL ")}`);
    for (const { table } of this.#parts.splice(0)) await connection.run(`DROP TABLE ${table}`);
    this.#parts.push({ table: whole, firstRow: 0 });
    return whole;
  }

  async drop(): Promise<void> {
    this.#held = [];
    if (this.#attached) await this.#options.connection.run(`DETACH ${this.#options.name}`);
    this.#attached = false;
  }

  async #loadHeld(): Promise<void> {
    const { connection, file, index, kind, name, shape } = this.#options;
    if (this.#held.length === 0) return;
    if (!this.#attached) await connection.run(`ATTACH ':memory:' AS ${name} (COMPRESS)`);
    this.#attached = true;
    const objectBytesMax = Math.max(...this.#held.map((data) => data.byteLength)) + 1024;
    writeMessages(file, this.#held);
    const part: Part = { table: `${name}.part_${this.#parts.length}`, firstRow: this.rows };
    const sql = kind === "accepted" ? loadColumnBatchesSql : loadRejectedBatchesSql;
    await connection.run(`CREATE TABLE ${part.table} AS ${sql(shape.definition, file, objectBytesMax)}`);
    const keys = await readKeys(connection, shape, index, part.table, "_op", "rowid");
    const rows = await connection.value<number>(`SELECT count(*) FROM ${part.table}`);
    if (rows !== keys.rows) throw new Error(`${part.table}: ${rows} records were loaded, keys of ${keys.rows} read`);
    this.#held = [];
    this.#heldBytes = 0;
    this.#parts.push(part);
    this.#keys.push(keys);
    this.rows += keys.rows;
  }
}

/**
 * Puts messages into a file, one after the other. The same file each time: one that is made and removed for each load
 * costs more than its bytes.
 */
function writeMessages(path: string, messages: readonly Uint8Array[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  try {
    const parts = [...messages];
    while (parts.length > 0) {
      let written = writevSync(file, parts.slice(0, buffersPerWrite));
      while (parts[0] !== undefined && written >= parts[0].byteLength) written -= parts.shift()!.byteLength;
      if (parts[0] !== undefined && written > 0) parts[0] = parts[0].subarray(written);
    }
  } finally {
    closeSync(file);
  }
}
