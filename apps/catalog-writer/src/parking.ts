/**
 * What stands still and why. A parked stage does nothing until the cause is gone or an operator decides; the state
 * lies in the attempts store, where `/api/pipeline` and `firn status` read it.
 */
import { parkedKey } from "@firn/core";
import type { Health, Logger } from "@firn/service";
import type { AttemptStore } from "@firn/stream";
import { setTimeout as sleep } from "node:timers/promises";

/** How often a parked stage looks whether its cause is gone. */
const lookAgainMs = 2_000;

export class Parking {
  readonly #stage: string;
  readonly #store: AttemptStore;
  readonly #logger: Logger;
  readonly #parked = new Map<string, string>();

  constructor(stage: string, store: AttemptStore, logger: Logger, health: Health) {
    this.#stage = stage;
    this.#store = store;
    this.#logger = logger;
    health.addCheck(
      "parked",
      () => [...this.#parked].map(([what, reason]) => `${what}: ${reason}`).join("; ") || undefined,
    );
  }

  /** Says so, and waits a moment: the caller then looks again. */
  async park(what: string, reason: string, fix: string, signal: AbortSignal): Promise<void> {
    if (this.#parked.get(what) !== reason) {
      this.#parked.set(what, reason);
      this.#logger.error("parked", { what, reason, fix });
      await this.#store.put(parkedKey(this.#stage, what), { stage: this.#stage, shard: what, reason, fix });
    }
    await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
  }

  async clear(what: string): Promise<void> {
    // Also what an earlier process left behind.
    if (this.#parked.delete(what) || (await this.#store.get(parkedKey(this.#stage, what))) !== undefined)
      await this.#store.delete(parkedKey(this.#stage, what));
  }
}
