import { stat } from "node:fs/promises";
import { isLakeError, type LiveFile, type ObjectStore } from "@firn/lake";
import { tableUnreadable } from "./unreadable.ts";

/** A file as it lay on this machine when it was looked at. */
export interface FileMark {
  readonly modifiedMs: number;
}

/**
 * Looks whether every file is there with the size that the manifest says and the checksum that its name carries, before
 * anything is read: a missing, cut or damaged file is then named for what it is, and an answer in the cache does not
 * outlive the files that it came from.
 */
export async function checkFiles(
  store: Pick<ObjectStore, "localPath">,
  table: string,
  files: readonly LiveFile[],
): Promise<FileMark[]> {
  return Promise.all(files.map((file) => checkFile(store, table, file)));
}

async function checkFile(store: Pick<ObjectStore, "localPath">, table: string, file: LiveFile): Promise<FileMark> {
  let found;
  try {
    found = await stat(await store.localPath(file.filePath, file.fileSizeBytes));
  } catch (error) {
    if (isLakeError(error, "corrupt")) throw tableUnreadable(table, file.filePath, error.message, error);
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? "the file is missing" : `the file cannot be opened (${String(error)})`;
    throw tableUnreadable(table, file.filePath, why, error);
  }
  if (found.size !== file.fileSizeBytes) {
    const why = `the file has ${found.size} bytes, its manifest says ${file.fileSizeBytes}`;
    throw tableUnreadable(table, file.filePath, why);
  }
  return { modifiedMs: found.mtimeMs };
}
