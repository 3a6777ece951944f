import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const VERSION = 1;
const WRITE_EVERY_MS = 500;

/** What makes two replays the same one: the content of the file, where it goes, and how it is read. */
export interface ReplayIdentity {
  readonly fileIdentity: string;
  readonly ingestUrl: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * How far an interrupted replay came: the payloads of the file that have their answer, kept in a small file until the
 * replay is complete. Losing it costs only duplicates.
 */
export class ResumeState {
  readonly path: string;
  #writtenMs = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** A state file of this replay in a folder of such files. */
  static within(folder: string, identity: ReplayIdentity): ResumeState {
    const key = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
    return new ResumeState(join(folder, `${key}.json`));
  }

  /** Payloads that need not be sent again; 0 when there is no state or it is of another file. */
  read(identity: ReplayIdentity): number {
    try {
      const state = JSON.parse(readFileSync(this.path, "utf8")) as { v?: number; key?: string; answered?: number };
      const same = state.v === VERSION && state.key === JSON.stringify(identity);
      return same && Number.isSafeInteger(state.answered) ? (state.answered ?? 0) : 0;
    } catch {
      return 0;
    }
  }

  /** Keeps the number, at most every half second unless `now` is set. */
  write(identity: ReplayIdentity, answered: number, now = false): void {
    if (!now && Date.now() - this.#writtenMs < WRITE_EVERY_MS) return;
    this.#writtenMs = Date.now();
    mkdirSync(dirname(this.path), { recursive: true });
    const next = `${this.path}.next`;
    writeFileSync(next, JSON.stringify({ v: VERSION, key: JSON.stringify(identity), answered }));
    renameSync(next, this.path);
  }

  clear(): void {
    rmSync(this.path, { force: true });
  }
}
