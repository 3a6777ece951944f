/** The folder of a key index: `index.json` names the runs that count; every other run is left over and removed. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export interface IndexState {
  readonly version: string;
  readonly tableUuid: string;
  /** Snapshot that the index equals, in decimal; "" for a table without one. */
  readonly snapshotId: string;
  /** False while a batch or a rebuild is half written. */
  readonly whole: boolean;
}

/** What `index.json` holds. */
export interface IndexManifest {
  readonly generation: number;
  readonly nextRun: number;
  readonly state: IndexState | null;
  /** Names of partitions; an entry holds the place in this list. */
  readonly partitions: readonly string[];
  /** File names of the runs, oldest first. */
  readonly runs: readonly string[];
}

const manifestFile = "index.json";
const runName = /^run-\d+$/;

export const emptyManifest: IndexManifest = { generation: 0, nextRun: 0, state: null, partitions: [], runs: [] };

export function readIndexManifest(folder: string): IndexManifest {
  const path = join(folder, manifestFile);
  if (!existsSync(path)) return emptyManifest;
  const manifest = JSON.parse(readFileSync(path, "utf8")) as IndexManifest;
  if (!Array.isArray(manifest.runs) || !manifest.runs.every((name) => runName.test(name)))
    throw new SyntaxError(`${path}: its runs are not named as runs`);
  return manifest;
}

/** Replaces the manifest as a whole; durable when it returns. */
export function writeIndexManifest(folder: string, manifest: IndexManifest): void {
  const path = join(folder, manifestFile);
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w");
  try {
    writeSync(file, JSON.stringify(manifest));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** Removes what is in the folder and is neither named nor kept: runs of unfinished work, files of older versions. */
export function removeLeftOvers(folder: string, manifest: IndexManifest, keep: readonly string[]): void {
  const named = new Set([manifestFile, ...keep, ...manifest.runs]);
  for (const name of readdirSync(folder))
    if (!named.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
}
