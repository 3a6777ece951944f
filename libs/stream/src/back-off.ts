/** Waits that double from a least to a most value, each shortened by up to a fifth so that many do not beat as one. */
export interface BackOff {
  delayMinMs: number;
  delayMaxMs: number;
}

export function backOffMs(
  attempt: number,
  { delayMinMs, delayMaxMs }: BackOff,
  random: () => number = Math.random,
): number {
  const full = Math.min(delayMaxMs, delayMinMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - random() / 5));
}

/** Resolves after the time or at the signal, whichever comes first; never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
