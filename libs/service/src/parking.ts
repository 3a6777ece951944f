import { parkedKey, resumeKey, type ParkedState, type ResumeOrder } from "@firn/core";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./logger.ts";

const LOOK_AGAIN_MS = 2_000;

/** Where parked states and orders lie: JSON values by key, shared by every process of a lake. */
export interface ParkedStore {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * What stands still and why: in health, in the log, and in the store where `/api/pipeline` and `firn status` read it.
 * A parked part of a stage does nothing until the cause is gone or an operator decides; nothing is ever skipped.
 */
export class Parking {
  readonly #stage: string;
  readonly #store: ParkedStore;
  readonly #logger: Logger;
  readonly #lookAgainMs: number;
  readonly #parked = new Map<string, string>();

  /**
   * @param stage name of the service
   * @param lookAgainMs how often a parked stage looks whether its cause is gone, or an operator has decided
   */
  constructor(stage: string, store: ParkedStore, logger: Logger, lookAgainMs: number = LOOK_AGAIN_MS) {
    this.#stage = stage;
    this.#store = store;
    this.#logger = logger;
    this.#lookAgainMs = lookAgainMs;
  }

  whyNotReady(): string | undefined {
    return [...this.#parked].map(([what, reason]) => `${what}: ${reason}`).join("; ") || undefined;
  }

  /** Says so and waits a moment: the caller then looks again. Resolves with an operator's order, once one is there. */
  async park(what: string, reason: string, fix: string, signal: AbortSignal): Promise<ResumeOrder | undefined> {
    if (this.#parked.get(what) !== reason) {
      this.#parked.set(what, reason);
      this.#logger.error("parked", { what, reason, fix });
      const state: ParkedState = { stage: this.#stage, shard: what, reason, fix };
      await this.#store.put(parkedKey(this.#stage, what), state);
    }
    const order = (await this.#store.get(resumeKey(this.#stage, what))) as ResumeOrder | undefined;
    if (order === undefined) await sleep(this.#lookAgainMs, undefined, { signal }).catch(() => undefined);
    else this.#logger.warn("resumed by an operator", { what, ...order });
    return order;
  }

  /** The order is carried out. It is taken away at once: one that did not help must not be repeated for ever. */
  async obeyed(what: string): Promise<void> {
    await this.#store.delete(resumeKey(this.#stage, what));
  }

  /** Another process has it from now on: what is parked stays so in the store, for it to find. */
  handOver(what: string): void {
    this.#parked.delete(what);
  }

  /** Work goes on: nothing is parked and no order waits any longer, from an earlier process neither. */
  async clear(what: string): Promise<void> {
    const known = this.#parked.delete(what);
    for (const key of [parkedKey(this.#stage, what), resumeKey(this.#stage, what)]) {
      if (known || (await this.#store.get(key)) !== undefined) await this.#store.delete(key);
    }
  }
}
