/** A wait that can be cut short; a call that comes while nobody waits is kept for the next wait. */
export class Wake {
  #woken = false;
  #resolve: (() => void) | undefined;

  now(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  async wait(limitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted && limitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => finish(), limitMs);
        const finish = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", finish);
          resolve();
        };
        signal.addEventListener("abort", finish);
        this.#resolve = finish;
      });
    }
    this.#woken = false;
    this.#resolve = undefined;
  }
}
