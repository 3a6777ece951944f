import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LakeEnvironment } from "../commit/environment.ts";
import type { Table } from "../commit/table.ts";
import type { KernelConnection } from "../kernel/duck.ts";
import { LakeError } from "../lake-error.ts";
import type { Partition } from "../manifest/data-file.ts";
import { joinLocation } from "../store/location.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import { partitionPath } from "../transform/partition-path.ts";

/** Longer names are refused by file systems. Such a partition has no folder of its own. */
const FOLDER_BYTES_MAX = 240;

/**
 * Runs `work` with an empty local folder for finished files. Whatever the store has not taken from it when the work
 * ends is removed.
 */
export async function inStagingFolder<T>(
  connection: KernelConnection,
  env: Pick<LakeEnvironment, "randomness">,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(connection.tempDir, `stage-${env.randomness.uuid()}`);
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface FinishedFile {
  readonly localPath: string;
  readonly sizeBytes: number;
  /** Where it goes. */
  readonly location: string;
}

/** Moves finished files to their places, durably and side by side, and makes sure that the store has all their bytes. */
export async function adoptWritten(env: Pick<LakeEnvironment, "store">, files: readonly FinishedFile[]): Promise<void> {
  const adopted = await env.store.adoptAll(files);
  for (const [at, { sizeBytes, location }] of files.entries()) {
    const stored = adopted[at]?.sizeBytes;
    if (stored !== sizeBytes) {
      throw new LakeError("corrupt", `stored ${stored} bytes of ${location}, wrote ${sizeBytes}`, {
        context: { location },
      });
    }
  }
}

/** A new place for a file of this partition. */
export function newFileLocation(table: Table, spec: BoundSpec, partition: Partition, name: string): string {
  const { location, properties } = table.metadata;
  const folder = properties["write.data.path"] ?? joinLocation(location, "data");
  const path = partitionPath(spec, partition);
  const named = path !== "" && path.split("/").every((segment) => Buffer.byteLength(segment) <= FOLDER_BYTES_MAX);
  return named ? joinLocation(folder, path, name) : joinLocation(folder, name);
}
