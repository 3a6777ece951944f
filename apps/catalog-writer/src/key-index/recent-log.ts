/**
 * The file that the newest entries are kept in until they become a run: records, each of the entries of one change and
 * the state that the index has with them.
 *
 * A record is five words (magic, generation, entries, bytes of the state, CRC-32 of entries and state), the entries,
 * and the state as JSON. Nothing is synced: a record that a power loss has cut or lost ends the log, and the index
 * then names an older snapshot, from which it is rolled forward.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { entryBytes } from "./identity-keys.ts";

const magic = 0x474f4c46;
const headerBytes = 20;

export interface LogRecordRead {
  readonly entries: Uint32Array;
  readonly state: unknown;
}

export class RecentLog {
  readonly #file: number;
  #bytes: number;

  private constructor(file: number, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens the log and reads what it holds of this generation. */
  static open(path: string, generation: number): { log: RecentLog; records: LogRecordRead[] } {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const { records, end } = readRecords(bytes, generation);
    const file = openSync(path, existsSync(path) ? "r+" : "w+");
    ftruncateSync(file, end);
    return { log: new RecentLog(file, end), records };
  }

  append(generation: number, entries: Uint32Array, state: unknown): void {
    const json = Buffer.from(JSON.stringify(state), "utf8");
    const body = Buffer.concat([Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength), json]);
    const header = Buffer.alloc(headerBytes);
    [magic, generation, entries.byteLength / entryBytes, json.length, crc32(body)].forEach((word, at) =>
      header.writeUInt32LE(word, at * 4),
    );
    const record = Buffer.concat([header, body]);
    for (let written = 0; written < record.length;)
      written += writeSync(this.#file, record, written, record.length - written, this.#bytes + written);
    this.#bytes += record.length;
  }

  /** Forgets everything. */
  empty(): void {
    ftruncateSync(this.#file, 0);
    this.#bytes = 0;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function readRecords(bytes: Buffer, generation: number): { records: LogRecordRead[]; end: number } {
  const records: LogRecordRead[] = [];
  let at = 0;
  while (at + headerBytes <= bytes.length) {
    const [word, ofGeneration, count, stateBytes, checksum] = [0, 4, 8, 12, 16].map((n) => bytes.readUInt32LE(at + n));
    const start = at + headerBytes;
    const end = start + count! * entryBytes + stateBytes!;
    if (word !== magic || ofGeneration !== generation || end > bytes.length) break;
    if (crc32(bytes.subarray(start, end)) !== checksum) break;
    const entries = new Uint32Array((count! * entryBytes) / 4);
    Buffer.from(entries.buffer).set(bytes.subarray(start, start + entries.byteLength));
    records.push({ entries, state: JSON.parse(bytes.toString("utf8", start + entries.byteLength, end)) });
    at = end;
  }
  return { records, end: at };
}
