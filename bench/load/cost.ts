/** What a piece of work costs this process. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time of all threads. */
  readonly cpuMs: number;
}

export async function costOf<T>(work: () => Promise<T>): Promise<Cost & { readonly result: T }> {
  const before = process.cpuUsage();
  const started = performance.now();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1000, wallMs: performance.now() - started };
}

/** The run in the middle, by CPU time. */
export function medianCost(runs: readonly Cost[]): Cost {
  const sorted = [...runs].sort((one, other) => one.cpuMs - other.cpuMs);
  return sorted[sorted.length >> 1] ?? { wallMs: NaN, cpuMs: NaN };
}
