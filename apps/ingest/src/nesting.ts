/** Whether a parsed JSON value nests objects and arrays deeper than `levels`. Its own recursion goes no deeper. */
export function nestsDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === "object" && nestsDeeperThan(levels - 1, item)) return true;
    }
    return false;
  }
  const fields = value as Record<string, unknown>;
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === "object" && nestsDeeperThan(levels - 1, field)) return true;
  }
  return false;
}
