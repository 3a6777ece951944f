import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { PassThrough, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import { CommandError, EXIT } from "../exit-code.ts";

/** A file that is replayed, as it lies on disk; `.gz` is unpacked on the way. */
export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  /** Equal for equal content of the file (size, both ends); a copy or a rename keeps it. */
  readonly identity: string;
  /** The first bytes, unpacked. */
  readonly head: Buffer;
  /** The whole file, unpacked, from the beginning. */
  chunks(): AsyncIterable<Buffer>;
  /** Bytes of the file on disk that the current reading has taken. */
  bytesRead(): number;
}

const HEAD_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** @throws CommandError (usage) when the file is not there or cannot be read. */
export async function openInputFile(path: string): Promise<InputFile> {
  try {
    const { size } = await stat(path);
    const [start, end] = await readEnds(path, size);
    const gzipped = start[0] === GZIP_MAGIC[0] && start[1] === GZIP_MAGIC[1];
    let read = 0;
    const chunks = () => {
      read = 0;
      return unpacked(path, gzipped, (bytes) => (read += bytes));
    };
    const identity = createHash("sha256").update(`${size}\n`).update(start).update(end).digest("hex");
    return { path, bytes: size, identity, head: await firstBytes(chunks()), chunks, bytesRead: () => read };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "is a folder" : message;
    throw new CommandError(EXIT.usage, `${path}: ${reason}`, { cause });
  }
}

async function readEnds(path: string, size: number): Promise<readonly [Buffer, Buffer]> {
  const handle = await open(path, "r");
  try {
    const length = Math.min(size, HEAD_BYTES);
    const start = await handle.read(Buffer.alloc(length), 0, length, 0);
    const end = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return [start.buffer.subarray(0, start.bytesRead), end.buffer.subarray(0, end.bytesRead)];
  } finally {
    await handle.close();
  }
}

async function* unpacked(path: string, gzipped: boolean, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: READ_BYTES });
  file.on("data", (chunk) => onRead(chunk.length));
  const target = gzipped ? createGunzip({ chunkSize: READ_BYTES }) : new PassThrough({ highWaterMark: READ_BYTES });
  file.once("error", (error) => target.destroy(error));
  const stream: Readable = file.pipe(target);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    file.destroy();
    target.destroy();
  }
}

async function firstBytes(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= HEAD_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, HEAD_BYTES);
}
