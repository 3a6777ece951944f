import { Problem } from "@firn/service";

/**
 * Bytes of request bodies that this process holds at once. What does not fit is refused at once: waiting for room
 * while holding a part of a body could wait for ever.
 */
export class ByteBudget {
  #held = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** @throws Problem 503 `overloaded` when the bytes do not fit. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#limit) {
      throw new Problem(503, "overloaded", "The service holds as many bytes as it may; try again.", {
        headers: { "retry-after": "1" },
      });
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** The share of the budget that one request has taken, given back in one go. */
export class ByteShare {
  #taken = 0;
  readonly #budget: ByteBudget;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  take(bytes: number): void {
    this.#budget.take(bytes);
    this.#taken += bytes;
  }

  release(): void {
    this.#budget.give(this.#taken);
    this.#taken = 0;
  }
}
