import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LakeError } from "../lake-error.ts";
import { openFileStore } from "./file-store.ts";
import type { ObjectStore } from "./object-store.ts";
import type { S3CredentialSource, S3Settings } from "./s3/s3-settings.ts";

export interface OpenStoreOptions {
  /** A folder, a `file:` location, or `s3://bucket[/path]` (`s3a://` and `s3n://` are the same). */
  readonly warehouse: string;
  /** How the S3 server is reached; needed for `s3://` only. */
  readonly s3?: S3Settings;
  /** Folder of this process alone for local copies of objects; a temporary one when absent. */
  readonly cacheFolder?: string | undefined;
  readonly cacheBytesMax?: number | undefined;
  readonly vended?: S3CredentialSource;
}

/** True for a location of an object store that speaks S3. */
export function isS3Location(location: string): boolean {
  return /^s3[an]?:\/\//i.test(location);
}

/** The object store that a warehouse's address names. */
export async function openStore(options: OpenStoreOptions): Promise<ObjectStore> {
  const { warehouse, s3, cacheFolder, cacheBytesMax, vended } = options;
  if (isS3Location(warehouse)) {
    // The SDK is large: a lake in a folder does without it.
    const { openS3Store } = await import("./s3/s3-store.ts");
    return openS3Store({
      region: "us-east-1",
      ...s3,
      root: warehouse,
      cacheFolder: cacheFolder ?? temporaryFolder(),
      ...(cacheBytesMax === undefined ? {} : { cacheBytesMax }),
      ...(vended === undefined ? {} : { vended }),
    });
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(warehouse) && !/^file:/i.test(warehouse)) {
    throw new LakeError("unsupported", `warehouse ${warehouse}: must be a folder, file:// or s3://`);
  }
  return openFileStore({ root: /^file:/i.test(warehouse) ? warehouse : resolve(warehouse) });
}

/** Goes when the process ends. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "firn-objects-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
