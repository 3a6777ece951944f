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
  readonly suspect?: Suspect;
}

interface Suspect {
  readonly sequence: number;
  readonly payload: number;
  readonly deaths: number;
}

export class PoisonWatch {
  readonly #store: AttemptStore;
  readonly #key: string;
  #mark: Mark | undefined;
  #careful = false;
  #condemned: Suspect | undefined;

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
    this.#mark = { after: position };
    const suspect = this.#careful ? before?.suspect : undefined;
    if (suspect !== undefined) {
      const died = { ...suspect, deaths: suspect.deaths + 1 };
      this.#mark = { after: position, suspect: died };
      if (died.deaths >= DEATHS_MAX) this.#condemned = died;
    }
    await this.#store.put(this.#key, this.#mark);
  }

  /** While careful: before a payload is tried. */
  async trying(item: RunItem): Promise<void> {
    if (this.#mark === undefined || this.condemned(item) !== undefined) return;
    const { suspect, after } = this.#mark;
    const known = suspect?.sequence === item.input.sequence && suspect.payload === item.payload;
    const deaths = known ? suspect.deaths : 0;
    this.#mark = { after, suspect: { sequence: item.input.sequence, payload: item.payload, deaths } };
    await this.#store.put(this.#key, this.#mark);
  }

  condemned(item: RunItem): string | undefined {
    const { sequence, payload, deaths } = this.#condemned ?? {};
    if (sequence !== item.input.sequence || payload !== item.payload) return undefined;
    return `validation of this payload ended the process ${deaths} times: it is not tried again`;
  }

  /** Something was appended: whatever killed the process before is behind. */
  passed(): void {
    this.#careful = false;
  }
}
