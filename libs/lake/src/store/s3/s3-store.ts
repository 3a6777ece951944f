import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { isLakeError, LakeError } from "../../lake-error.ts";
import { CheckedFiles } from "../checked-files.ts";
import { FileCache } from "../file-cache.ts";
import { isWithin, normaliseLocation } from "../location.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import { withNamedChecksum } from "../named-checksum.ts";
import type { AdoptMove, AdoptedObject, ListedObject, ObjectStore } from "../object-store.ts";
import { semaphore } from "../semaphore.ts";
import { s3Error } from "./s3-error.ts";
import { S3Clients } from "./s3-clients.ts";
import { downloadObject, readObject, type S3Object } from "./s3-read.ts";
import type { S3CredentialSource, S3Settings } from "./s3-settings.ts";
import { headObject, writeFile, writeObject } from "./s3-write.ts";

/** Files that `adoptAll` uploads at the same time, each in memory when it is no larger than a part. */
const ADOPT_CONCURRENCY = 16;
const DOWNLOADS_AT_ONCE = 16;
const CACHE_BYTES_MAX = 4 * 1024 ** 3;

export interface S3StoreOptions extends S3Settings {
  /** `s3://bucket` or `s3://bucket/path`; `s3a://` is the same. */
  readonly root: string;
  /** Folder of this process alone for local copies of objects; emptied at the start. */
  readonly cacheFolder: string;
  /** Bytes of local copies. Default 4 GiB. */
  readonly cacheBytesMax?: number;
  /** Credentials by table, as the catalog vends them; they come before the site's own. */
  readonly vended?: S3CredentialSource;
}

/**
 * An object store on S3 or a server that speaks it. What is safe to ask twice is asked again after a failure that may
 * pass, with back-off; all of the port's calls are. Nothing is asked when it opens.
 */
export async function openS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  const root = normaliseLocation(options.root);
  const bucket = /^s3:\/\/([^/]+)(\/|$)/.exec(root)?.[1];
  if (bucket === undefined) {
    throw new LakeError("invalid", `warehouse ${options.root}: must be s3://bucket or s3://bucket/path`);
  }
  const cache = await FileCache.open({
    folder: options.cacheFolder,
    bytesMax: options.cacheBytesMax ?? CACHE_BYTES_MAX,
  });
  const place: Place = { root, bucket, clients: new S3Clients(options, options.vended) };
  return s3Store(place, cache, options.checksum ?? "CRC32");
}

interface Place {
  readonly root: string;
  readonly bucket: string;
  readonly clients: S3Clients;
}

function s3Store(place: Place, cache: FileCache, checksum: "CRC32" | "SHA256"): ObjectStore {
  const checked = new CheckedFiles();
  const downloads = semaphore(DOWNLOADS_AT_ONCE);
  const adopt = async ({ localPath, location }: AdoptMove): Promise<AdoptedObject> => {
    const object = await objectAt(place, location);
    const sizeBytes = await writeFile(object, localPath, { checksum });
    // Whoever wrote a file soon reads it: to merge it, or to find the rows of a correction.
    await cache.take(object.location, localPath, sizeBytes);
    return { location, sizeBytes };
  };
  const copyOf = async (at: string, sizeBytes: number | undefined): Promise<string> => {
    const fetch = async (to: string): Promise<void> => downloadObject(await objectAt(place, at), to);
    const path = await cache.path(at, sizeBytes, (to) => downloads(() => fetch(to)));
    await checked.check(at, path);
    return path;
  };
  return {
    root: place.root,
    put: async (location, bytes, putOptions) => {
      const object = await objectAt(place, location);
      await writeObject(object, bytes, { checksum, ifAbsent: putOptions?.ifAbsent ?? false });
      await cache.drop(object.location);
    },
    get: async (location) => withNamedChecksum(location, await readObject(await objectAt(place, location))),
    getRange: async (location, offset, length) => readRange(await objectAt(place, location), offset, length),
    stat: async (location) => {
      const found = await headObject(await objectAt(place, location));
      return found && { sizeBytes: found.ContentLength ?? 0, modifiedMs: found.LastModified?.getTime() ?? 0 };
    },
    list: (prefix) => listObjects(place, normaliseWithin(place.root, prefix)),
    delete: async (location) => {
      const object = await objectAt(place, location);
      await cache.drop(object.location);
      await deleteObject(object);
    },
    localPath: async (location, sizeBytes) => {
      const at = normaliseWithin(place.root, location);
      return copyOf(at, sizeBytes).catch(async (error: unknown) => {
        if (!isLakeError(error, "corrupt")) throw error;
        // It may be the copy that is damaged, not the object.
        await cache.drop(at);
        return copyOf(at, sizeBytes);
      });
    },
    adopt: (localPath, location) => adopt({ localPath, location }),
    adoptAll: (moves) => mapConcurrently(moves, ADOPT_CONCURRENCY, adopt),
  };
}

async function objectAt({ root, bucket, clients }: Place, location: string): Promise<S3Object> {
  const at = normaliseWithin(root, location);
  return { client: await clients.clientFor(at), bucket, key: keyOf(at, bucket), location: at };
}

function keyOf(location: string, bucket: string): string {
  return location.slice(`s3://${bucket}/`.length);
}

function normaliseWithin(root: string, location: string): string {
  const normal = normaliseLocation(location);
  if (isWithin(root, normal)) return normal;
  throw new LakeError("invalid", `location ${location} is outside the warehouse`, { context: { location, root } });
}

async function readRange(object: S3Object, offset: number, length: number): Promise<Uint8Array> {
  try {
    return await readObject(object, offset, Math.max(length, 1)).then((bytes) => bytes.subarray(0, length));
  } catch (error) {
    // Nothing of the range is there.
    if (error instanceof LakeError && error.context["status"] === 416) return new Uint8Array();
    throw error;
  }
}

async function deleteObject({ client, bucket, key, location }: S3Object): Promise<void> {
  try {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    const failure = s3Error(error, location);
    if (failure.kind !== "not_found") throw failure;
  }
}

async function* listObjects(place: Place, folder: string): AsyncGenerator<ListedObject> {
  const { bucket, clients } = place;
  const key = keyOf(folder, bucket);
  const prefix = key === "" ? "" : `${key}/`;
  let token: string | undefined;
  do {
    const client = await clients.clientFor(folder);
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    const page = await client.send(command).catch((error: unknown) => {
      throw s3Error(error, folder);
    });
    for (const { Key = "", Size = 0, LastModified } of page.Contents ?? []) {
      // Servers over a file system and consoles make empty objects for folders.
      if (Key.endsWith("/")) continue;
      yield { location: `s3://${bucket}/${Key}`, sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
