import { readFile, readFileSync, statSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { LakeError } from "../lake-error.ts";

/**
 * Checksums in names ([ADR 9](../../../../docs/adr/0009-checksums-in-names.md)): `00000.crc32_9ab0c1d2.parquet` has
 * bytes whose CRC-32 (as in gzip and zip) is 9ab0c1d2. Names are the writer's to choose, so no other engine minds, and
 * nothing else needs a field for it. CRC-32 finds every flip of up to 32 neighbouring bits, and of any others all but
 * one in four thousand million.
 */
const IN_NAME = /\.crc32_([0-9a-f]{8})\.[^/]*$/;

/** Small enough to stay in the processor's cache between reading and summing. */
const CHUNK_BYTES = 256 * 1024;

/** Takes half as long for small files as the one of `fs/promises`. */
const readWhole = promisify(readFile);

/** `base.crc32_<8 hexadecimal digits>.extension` */
export function checksummedName(base: string, checksum: number, extension: string): string {
  return `${base}.crc32_${hex(checksum)}.${extension}`;
}

/** The checksum that a location's name carries, if it does. */
export function checksumOfName(location: string): number | undefined {
  const found = IN_NAME.exec(location)?.[1];
  return found === undefined ? undefined : Number.parseInt(found, 16);
}

/** CRC-32 of bytes. */
export const checksumOf = (bytes: Uint8Array): number => crc32(bytes);

/** CRC-32 of a file that was written a moment ago: a small one is in memory still, and reading it waits for nothing. */
export async function checksumOfNewFile(path: string): Promise<number> {
  return statSync(path).size <= CHUNK_BYTES ? crc32(readFileSync(path)) : checksumOfFile(path);
}

/** CRC-32 of a file of any size. */
export async function checksumOfFile(path: string, sizeBytes = Number.POSITIVE_INFINITY): Promise<number> {
  if (sizeBytes <= CHUNK_BYTES) return crc32(await readWhole(path));
  const file = await open(path, "r");
  try {
    return await checksumOfHandle(file);
  } finally {
    await file.close();
  }
}

async function checksumOfHandle(file: FileHandle): Promise<number> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let checksum = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
    if (bytesRead === 0) return checksum;
    checksum = crc32(buffer.subarray(0, bytesRead), checksum);
  }
}

/**
 * Gives the bytes back when they are those that the location's name speaks of, or it speaks of none.
 * @throws LakeError `corrupt`, naming the location and both checksums
 */
export function withNamedChecksum<T extends Uint8Array>(location: string, bytes: T): T {
  const expected = checksumOfName(location);
  if (expected !== undefined) requireChecksum(location, expected, crc32(bytes));
  return bytes;
}

/** @throws LakeError `corrupt` when the two differ */
export function requireChecksum(location: string, expected: number, found: number): void {
  if (found === expected) return;
  const why = `its bytes have the checksum ${hex(found)}, its name says ${hex(expected)}`;
  throw new LakeError("corrupt", `${location} is damaged: ${why}`, {
    context: { location, checksum: hex(found), expectedChecksum: hex(expected) },
  });
}

const hex = (checksum: number): string => checksum.toString(16).padStart(8, "0");
