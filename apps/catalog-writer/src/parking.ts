/**
 * What stands still and why. A parked stage does nothing until the cause is gone or an operator decides; the state
 * lies in the attempts store, where `/api/pipeline` and `firn status` read it.
 */
import { parkedKey, resumeKey, type ResumeOrder } from "@firn/core";
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

  /** Says so and waits a moment: the caller then looks again. Resolves with an operator's order, once one is there. */
  async park(what: string, reason: string, fix: string, signal: AbortSignal): Promise<ResumeOrder | undefined> {
    if (this.#parked.get(what) !== reason) {
      this.#parked.set(what, reason);
      this.#logger.error("parked", { what, reason, fix });
      await this.#store.put(parkedKey(this.#stage, what), { stage: this.#stage, shard: what, reason, fix });
    }
    const order = (await this.#store.get(resumeKey(this.#stage, what))) as ResumeOrder | undefined;
    if (order) this.#logger.warn("resumed by an operator", { what, ...order });
    else await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
    return order;
  }

  /** The order is carried out. It is taken away at once: one that did not help must not be repeated for ever. */
  async obeyed(what: string): Promise<void> {
    await this.#store.delete(resumeKey(this.#stage, what));
  }

  /** Work goes on: nothing is parked and no order waits any longer. */
  async clear(what: string): Promise<void> {
    const known = this.#parked.delete(what);
    // Also what an earlier process left behind.
    for (const key of [parkedKey(this.#stage, what), resumeKey(this.#stage, what)])
      if (known || (await this.#store.get(key)) !== undefined) await this.#store.delete(key);
  }
}
