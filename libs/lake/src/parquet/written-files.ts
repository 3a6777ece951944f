import type { LakeEnvironment } from "../commit/environment.ts";
import type { Table } from "../commit/table.ts";
import { LakeError } from "../lake-error.ts";
import type { Partition } from "../manifest/data-file.ts";
import { joinLocation } from "../store/location.ts";
import { checksummedName, checksumOfNewFile } from "../store/named-checksum.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import { partitionPath } from "../transform/partition-path.ts";

/** Longer names are refused by file systems. Such a partition has no folder of its own. */
const FOLDER_BYTES_MAX = 240;

export interface FinishedFile {
  readonly localPath: string;
  readonly sizeBytes: number;
  /** Where it goes. */
  readonly location: string;
}

interface NewFile {
  readonly spec: BoundSpec;
  readonly partition: Partition;
  readonly base: string;
  readonly localPath: string;
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

/**
 * A new place for a finished file of this partition; its name carries its checksum.
 * @param base what the name begins with, which no other file has
 */
export async function newFileLocation(table: Table, { spec, partition, base, localPath }: NewFile): Promise<string> {
  const name = checksummedName(base, await checksumOfNewFile(localPath), "parquet");
  const { location, properties } = table.metadata;
  const folder = properties["write.data.path"] ?? joinLocation(location, "data");
  const path = partitionPath(spec, partition);
  const named = path !== "" && path.split("/").every((segment) => Buffer.byteLength(segment) <= FOLDER_BYTES_MAX);
  return named ? joinLocation(folder, path, name) : joinLocation(folder, name);
}
