import { mkdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Local folders for files that are on their way into a store. They are used again, with the folders that a partitioned
 * COPY made in them: making and removing hundreds of folders with each commit costs more than writing the files, most
 * of all on ext4, which passes over recently deleted inodes one by one when it looks for a free one.
 */
export class StagingFolders {
  readonly #root: string;
  readonly #free: string[] = [];
  #made = 0;

  /** @param tempDir a folder of this process alone; what an earlier one left in it is removed */
  constructor(tempDir: string) {
    this.#root = join(tempDir, "staged");
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Runs `work` with a folder without files. Whatever the store has not taken from it when the work fails is removed. */
  async use<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = this.#free.pop() ?? this.#make();
    try {
      const result = await work(folder);
      this.#free.push(folder);
      return result;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #make(): string {
    const folder = join(this.#root, String(this.#made++));
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}
