import { renameSync, rmSync, writeFileSync, readFileSync } from "node:fs";

/** Replaces a file as a whole: a reader sees the old text or the new one, never a part. */
export function writeJsonFile(path: string, value: unknown): void {
  const next = `${path}.${process.pid}.next`;
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(next, path);
}

/** The value in the file, or undefined when there is none or it cannot be read as JSON. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
