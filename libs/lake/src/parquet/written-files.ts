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
import type { WrittenFile } from "./file-metrics.ts";

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

/** Moves written files to their places in the table's folder, durably and side by side; resolves to the places. */
export async function adoptWritten(
  env: Pick<LakeEnvironment, "store" | "randomness">,
  files: readonly { readonly written: WrittenFile; readonly location: string }[],
): Promise<void> {
  const adopted = await env.store.adoptAll(
    files.map(({ written, location }) => ({ localPath: written.filename, location })),
  );
  for (const [at, { written, location }] of files.entries()) {
    const sizeBytes = adopted[at]?.sizeBytes;
    if (sizeBytes !== written.file_size_bytes) {
      throw new LakeError("corrupt", `stored ${sizeBytes} bytes of ${location}, wrote ${written.file_size_bytes}`, {
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
