import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { PageKey } from "./read-pages.ts";

const VERSION = 1;

/** How far a migration came, of which ingest has acknowledged everything. Losing it costs only duplicates. */
export interface MigrateProgress {
  readonly lastKey: PageKey;
  readonly rows: number;
}

/** Keeps the progress of one table's migration in a small file until it is complete. */
export class MigrateState {
  readonly #path: string;
  readonly #identity: string;

  /** @param identity what makes two migrations the same one: database, source, target, ingest */
  constructor(folder: string, identity: readonly string[]) {
    this.#identity = JSON.stringify([VERSION, ...identity]);
    const name = createHash("sha256").update(this.#identity).digest("hex").slice(0, 32);
    this.#path = join(folder, `${name}.json`);
  }

  read(): MigrateProgress | undefined {
    try {
      const state = JSON.parse(readFileSync(this.#path, "utf8")) as MigrateProgress & { identity: string };
      return state.identity === this.#identity ? { lastKey: state.lastKey, rows: state.rows } : undefined;
    } catch {
      return undefined;
    }
  }

  write(progress: MigrateProgress): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(`${this.#path}.next`, JSON.stringify({ identity: this.#identity, ...progress }));
    renameSync(`${this.#path}.next`, this.#path);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}
