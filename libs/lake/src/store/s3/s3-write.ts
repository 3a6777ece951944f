import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { HeadObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { LakeError } from "../../lake-error.ts";
import { s3Code, s3Error } from "./s3-error.ts";
import type { S3Object } from "./s3-read.ts";
import type { ChecksumAlgorithm } from "./s3-settings.ts";

/** Larger files go in parts. */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_AT_ONCE = 3;
/** What the SDK does not ask again: another conditional write is under way; bytes were damaged on their way. */
const ASKED_AGAIN: ReadonlySet<string> = new Set([
  "ConditionalRequestConflict",
  "BadDigest",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);
const ATTEMPTS_MAX = 5;
const WAIT_MS = 50;
/** Names the write that made an object, so that a writer whose answer was lost knows its own. */
const WRITE_ID = "firn-write";

export interface WriteOptions {
  readonly checksum: ChecksumAlgorithm;
  readonly ifAbsent?: boolean;
}

/**
 * Puts bytes under a name. Resolves when the server said that it has them with our checksum.
 * @throws LakeError `already_exists` with `ifAbsent`; `corrupt` when the server has something else than we sent
 */
export async function writeObject(object: S3Object, bytes: Uint8Array, options: WriteOptions): Promise<void> {
  const digest = digestOf(bytes, options.checksum);
  const checksum: Partial<PutObjectCommandInput> =
    options.checksum === "CRC32" ? { ChecksumCRC32: digest } : { ChecksumSHA256: digest };
  const input: PutObjectCommandInput = {
    Bucket: object.bucket,
    Key: object.key,
    Body: bytes,
    ContentLength: bytes.length,
    ...checksum,
  };
  const answer = await put(object, input, options.ifAbsent ?? false);
  const said = options.checksum === "CRC32" ? answer?.ChecksumCRC32 : answer?.ChecksumSHA256;
  if (said !== undefined && said !== digest) throw otherBytes(object, `checksum ${said}, not ${digest}`);
  if (said === undefined) await confirm(object, bytes.length, bytes);
}

/** A local file, in parts when it is large. Returns its size once the server has confirmed size and checksum. */
export async function writeFile(object: S3Object, path: string, options: WriteOptions): Promise<number> {
  const { size } = await stat(path).catch((error: unknown) => {
    throw missingLocal(path, error);
  });
  if (size <= PART_BYTES) {
    const bytes = await readFile(path);
    await writeObject(object, bytes, options);
    return bytes.length;
  }
  const upload = new Upload({
    client: object.client,
    params: {
      Bucket: object.bucket,
      Key: object.key,
      Body: createReadStream(path, { highWaterMark: 1024 * 1024 }),
      // Every part goes with its own checksum, which the server compares.
      ChecksumAlgorithm: options.checksum,
    },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_ONCE,
    leavePartsOnError: false,
  });
  try {
    await upload.done();
  } catch (error) {
    throw s3Error(error, object.location);
  }
  await confirm(object, size);
  return size;
}

/** undefined with `ifAbsent` when the object is there with our own mark: the answer to an earlier try was lost. */
async function put(object: S3Object, input: PutObjectCommandInput, ifAbsent: boolean) {
  const id = randomUUID();
  const conditional = ifAbsent ? { IfNoneMatch: "*", Metadata: { [WRITE_ID]: id } } : {};
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await object.client.send(new PutObjectCommand({ ...input, ...conditional }));
    } catch (error) {
      const failure = s3Error(error, object.location);
      if (ifAbsent && failure.kind === "already_exists") {
        const found = await headObject(object);
        if (found?.Metadata?.[WRITE_ID] === id) return undefined;
      }
      if (!ASKED_AGAIN.has(s3Code(error)) || attempt >= ATTEMPTS_MAX) throw failure;
    }
    await sleep(WAIT_MS * 2 ** attempt * Math.random());
  }
}

/** undefined when there is no such object. */
export async function headObject({ client, bucket, key, location }: S3Object) {
  try {
    return await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }));
  } catch (error) {
    const failure = s3Error(error, location);
    if (failure.kind === "not_found") return undefined;
    throw failure;
  }
}

/** For servers whose answer to a write says nothing of the bytes, and for uploads in parts. */
async function confirm(object: S3Object, size: number, bytes?: Uint8Array): Promise<void> {
  const found = await headObject(object);
  if (found === undefined) throw otherBytes(object, "nothing");
  if (found.ContentLength !== size) throw otherBytes(object, `${found.ContentLength} bytes, not ${size}`);
  if (bytes === undefined) return;
  const { ChecksumCRC32, ChecksumSHA256 } = found;
  const pairs = [
    [ChecksumCRC32, "CRC32"],
    [ChecksumSHA256, "SHA256"],
  ] as const;
  for (const [said, algorithm] of pairs) {
    if (said !== undefined && said !== digestOf(bytes, algorithm)) throw otherBytes(object, `another ${algorithm}`);
  }
  const md5 = /^"?([0-9a-f]{32})"?$/.exec(found.ETag ?? "")?.[1];
  const hasChecksum = ChecksumCRC32 !== undefined || ChecksumSHA256 !== undefined;
  if (!hasChecksum && md5 !== undefined && md5 !== createHash("md5").update(bytes).digest("hex")) {
    throw otherBytes(object, "another MD5");
  }
}

function digestOf(bytes: Uint8Array, algorithm: ChecksumAlgorithm): string {
  if (algorithm === "SHA256") return createHash("sha256").update(bytes).digest("base64");
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString("base64");
}

function otherBytes({ location }: S3Object, what: string): LakeError {
  return new LakeError("corrupt", `${location} was written, but the server has ${what}`, { context: { location } });
}

function missingLocal(path: string, cause: unknown): LakeError {
  return new LakeError("not_found", `${path} is not there`, { cause });
}
