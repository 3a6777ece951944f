import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** What the checks see of this machine; the network they ask themselves. */
export interface ProbeWorld {
  nowMs(): number;
  /** Bytes that the folder's file system has left for this user; a folder that is not there yet counts as its parent. */
  freeBytes(folder: string): Promise<number>;
}

export const thisMachine: ProbeWorld = {
  nowMs: Date.now,
  async freeBytes(folder) {
    let existing = folder;
    while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
    const { bavail, bsize } = await statfs(existing);
    return bavail * bsize;
  },
};

const REQUEST_MS = 5_000;

/** @throws Error when it does not answer 2xx in time */
export async function request(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response;
}
