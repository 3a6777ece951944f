import { parkedKey, resumeKey, type ResumeOrder } from "@firn/core";
import type { Logger } from "@firn/service";
import type { AttemptStore } from "@firn/stream";
import { setTimeout as sleep } from "node:timers/promises";

const STAGE = "validator";
const LOOK_AGAIN_MS = 2_000;

/** What stands still and why: in health, in the log, and in the store where `/api/pipeline` and `firn status` read it. */
export class Parking {
  readonly #store: AttemptStore;
  readonly #logger: Logger;
  readonly #parked = new Map<string, string>();

  constructor(store: AttemptStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  whyNotReady(): string | undefined {
    return [...this.#parked].map(([what, reason]) => `${what}: ${reason}`).join("; ") || undefined;
  }

  /** Says so and waits a moment. Resolves with an operator's order, once one is there. */
  async park(what: string, reason: string, fix: string, signal: AbortSignal): Promise<ResumeOrder | undefined> {
    if (this.#parked.get(what) !== reason) {
      this.#parked.set(what, reason);
      this.#logger.error("parked", { what, reason, fix });
      await this.#store.put(parkedKey(STAGE, what), { stage: STAGE, shard: what, reason, fix });
    }
    const order = (await this.#store.get(resumeKey(STAGE, what))) as ResumeOrder | undefined;
    if (order === undefined) await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    return order;
  }

  /** The order is carried out. It is taken away at once: one that did not help must not be repeated for ever. */
  async obeyed(what: string): Promise<void> {
    await this.#store.delete(resumeKey(STAGE, what));
  }

  /** Work goes on: nothing is parked and no order waits any longer. */
  async clear(what: string): Promise<void> {
    const known = this.#parked.delete(what);
    // Also what an earlier process left behind.
    for (const key of [parkedKey(STAGE, what), resumeKey(STAGE, what)]) {
      if (known || (await this.#store.get(key)) !== undefined) await this.#store.delete(key);
    }
  }
}
