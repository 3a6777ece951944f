import type { AnswerDocument, AnswerTable } from "@firn/core";
import type { FileMark } from "../tables/check-files.ts";

/** An answer as it was read from one snapshot of its tables, and the files that it came from. */
export interface CachedAnswer {
  readonly table: AnswerTable;
  readonly hasMore: boolean;
  readonly document?: AnswerDocument;
  readonly marks: readonly FileMark[];
}

/** Answers by question, parameters and snapshot. They stay right for ever; the least recently used go first. */
export class ResultCache {
  readonly #valuesMax: number;
  readonly #kept = new Map<string, CachedAnswer>();
  #values = 0;
  /** Answers that were asked for and there, or not. */
  hits = 0;
  misses = 0;

  /** @param valuesMax how many values (rows × columns) may be kept; 0 keeps nothing */
  constructor(valuesMax: number) {
    this.#valuesMax = valuesMax;
  }

  get(key: string): CachedAnswer | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found;
  }

  set(key: string, answer: CachedAnswer): void {
    this.delete(key);
    const size = sizeOf(answer);
    if (size > this.#valuesMax / 8) return;
    this.#kept.set(key, answer);
    this.#values += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#values <= this.#valuesMax) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const found = this.#kept.get(key);
    if (found === undefined) return;
    this.#kept.delete(key);
    this.#values -= sizeOf(found);
  }
}

/** An answer without rows still takes room. */
const sizeOf = ({ table, document }: CachedAnswer): number =>
  16 + table.rowCount * table.columns.length + (document?.values ?? 0);
