import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempFolder {
  readonly path: string;
  remove(): Promise<void>;
}

const left = new Set<string>();
process.once("exit", () => {
  for (const path of left) rmSync(path, { recursive: true, force: true });
});

/** A new empty folder; what is not removed by hand goes when the process ends. */
export async function tempFolder(name = "test"): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `firn-${name}-`));
  left.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      left.delete(path);
    },
  };
}
