import type { AttemptStore } from "@firn/stream";

import type { RunItem } from "./validate-input.ts";

/**
 * Finds the payload that kills the process (endless memory, a crash of the runtime), which no `catch` can.
 *
 * At each start the watch writes down from where the shard goes on. When the start before began at the same place, its
 * first run may have been what killed it: until something is appended, the watch is careful, that is, one message at a
 * time and each payload written down before it is tried. A payload that was being tried at two deaths is condemned.
 */
const DEATHS_MAX = 2;

interface Mark {
  /** Position of the shard when it started. */
  readonly after: number;
  /** What is being tried. */
  readonly trying?: Place;
  /** What was being tried at the last death, and at how many before it without another between them. */
  readonly died?: Place & { readonly deaths: number };
}

interface Place {
  readonly sequence: number;
  readonly payload: number;
}

export class PoisonWatch {
  readonly #store: AttemptStore;
  readonly #key: string;
  #mark: Mark = { after: 0 };
  #careful = false;

  constructor(store: AttemptStore, dataset: string, shard: number) {
    this.#store = store;
    this.#key = `validator.${dataset}.${shard}`;
  }

  get careful(): boolean {
    return this.#careful;
  }

  /** At the start of the process, before anything is read after `position`. */
  async start(position: number): Promise<void> {
    const before = (await this.#store.get(this.#key)) as Mark | undefined;
    this.#careful = before?.after === position;
    const died = this.#careful && before !== undefined ? deathOf(before) : undefined;
    this.#mark = died === undefined ? { after: position } : { after: position, died };
    await this.#store.put(this.#key, this.#mark);
  }

  /** While careful: before a payload is tried. */
  async trying(item: RunItem): Promise<void> {
    this.#mark = { ...this.#mark, trying: { sequence: item.input.sequence, payload: item.payload } };
    await this.#store.put(this.#key, this.#mark);
  }

  /** The process lives on, or ends as it was told to: what was tried last has not ended it. */
  async ended(): Promise<void> {
    if (this.#mark.trying === undefined) return;
    const { after, died } = this.#mark;
    this.#mark = died === undefined ? { after } : { after, died };
    // Where the broker is away the mark stays: at worst the payload is tried with care once more.
    await this.#store.put(this.#key, this.#mark).catch(() => undefined);
  }

  condemned(item: RunItem): string | undefined {
    const { died } = this.#mark;
    if (died === undefined || died.deaths < DEATHS_MAX) return undefined;
    if (died.sequence !== item.input.sequence || died.payload !== item.payload) return undefined;
    return `validation of this payload ended the process ${died.deaths} times: it is not tried again`;
  }

  /** Something was appended: whatever killed the process before is behind. */
  passed(): void {
    this.#careful = false;
  }
}

function deathOf({ trying, died }: Mark): Mark["died"] {
  if (trying === undefined) return died;
  const again = died?.sequence === trying.sequence && died.payload === trying.payload;
  return { ...trying, deaths: again ? died.deaths + 1 : 1 };
}
