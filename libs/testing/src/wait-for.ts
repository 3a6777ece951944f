export interface WaitOptions {
  /** How long to wait, in milliseconds. */
  limitMs: number;
  /** How often to look, in milliseconds. */
  everyMs?: number;
  /** What is waited for, for the message when it does not come. */
  what?: string;
}

/**
 * Looks again and again until the condition gives something other than undefined, null and false, and returns that.
 * A condition that throws has not come true yet. Throws at the limit, with what the last look gave or threw.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { limitMs, everyMs = 20, what = "the condition" }: WaitOptions,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<T, undefined | null | false>;
      }
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      const seen = last instanceof Error ? last.message : String(last);
      throw new Error(`${what} did not come true in ${limitMs} ms; last: ${seen}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
