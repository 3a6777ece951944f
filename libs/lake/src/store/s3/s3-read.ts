import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { LakeError } from "../../lake-error.ts";
import { s3Code, s3Error } from "./s3-error.ts";

/** The SDK asks again until it has the head of an answer; a body that breaks off is asked for again here. */
const BODY_ATTEMPTS_MAX = 4;
const BODY_WAIT_MS = 100;

export interface S3Object {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly location: string;
}

/** The whole object, or `length` bytes from `offset`: fewer, or none, beyond its end. */
export async function readObject(object: S3Object, offset?: number, length?: number): Promise<Uint8Array> {
  const range = offset === undefined ? undefined : `bytes=${offset}-${offset + (length ?? 1) - 1}`;
  return withBody(object, range, async (body, size) => {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (size !== undefined && bytes.length !== size) throw cut(object, bytes.length, size);
    return bytes;
  });
}

/** Writes the whole object to a new local file. */
export async function downloadObject(object: S3Object, path: string): Promise<void> {
  await withBody(object, undefined, async (body, size) => {
    const file = createWriteStream(path);
    await pipeline(body, file);
    if (size !== undefined && file.bytesWritten !== size) throw cut(object, file.bytesWritten, size);
  }).catch(async (error: unknown) => {
    await rm(path, { force: true });
    throw error;
  });
}

/** The SDK compares the body with the object's checksum where the server sends one; a damaged body is read again. */
async function withBody<T>(
  object: S3Object,
  range: string | undefined,
  read: (body: Readable, size: number | undefined) => Promise<T>,
): Promise<T> {
  const { client, bucket, key, location } = object;
  for (let attempt = 1; ; attempt += 1) {
    let answered = false;
    try {
      const input = { Bucket: bucket, Key: key, ...(range === undefined ? {} : { Range: range }) };
      const answer = await client.send(new GetObjectCommand(input));
      answered = true;
      return await read(answer.Body as Readable, answer.ContentLength);
    } catch (error) {
      if (isLocal(error)) throw localError(error, location);
      if (!answered || attempt >= BODY_ATTEMPTS_MAX) throw bodyError(error, location, answered);
    }
    await sleep(BODY_WAIT_MS * 2 ** attempt * Math.random());
  }
}

/** System calls on files: a disk that is full or gone is no failure of the server, and asking again mends nothing. */
const FILE_CALLS: ReadonlySet<unknown> = new Set(["open", "write", "close", "fsync"]);

function isLocal(error: unknown): boolean {
  return FILE_CALLS.has((error as NodeJS.ErrnoException).syscall) && !("address" in (error as object));
}

function localError(error: unknown, location: string): LakeError {
  const { message, code } = error as NodeJS.ErrnoException;
  return new LakeError("unavailable", `no local copy of ${location}: ${message}`, {
    cause: error,
    context: { location, code },
  });
}

function bodyError(error: unknown, location: string, answered: boolean): LakeError {
  if (!answered) return s3Error(error, location);
  if (error instanceof LakeError) return error;
  const { message } = error as Error;
  return new LakeError("unavailable", `${location}: the answer broke off (${s3Code(error)}: ${message})`, {
    cause: error,
    context: { location },
  });
}

function cut({ location }: S3Object, found: number, expected: number): LakeError {
  return new LakeError("unavailable", `${location}: the answer had ${found} of ${expected} bytes`, {
    context: { location },
  });
}
