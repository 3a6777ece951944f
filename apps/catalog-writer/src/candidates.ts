import type { TableDefinition } from "@firn/core";
import { and, eq, gte, isIn, lt, or, type Predicate } from "@firn/lake";
import type { KeyIndex } from "./key-index.ts";
import { locatingFields } from "./record-sql.ts";

const microsPerDay = 86_400_000_000;

/**
 * The condition that rows of these partitions meet (see `partitionNameSql`). Partitions that differ in identity values
 * only are gathered day by day, so that the condition grows with the days, not with the partitions.
 */
export function candidatePredicate(
  definition: TableDefinition,
  index: KeyIndex,
  partitions: ReadonlySet<number>,
): Predicate | undefined {
  const fields = locatingFields(definition);
  const dayAt = fields.findIndex((field) => field.transform === "day");
  const identityAt = fields.findIndex((field) => field.transform === "identity");
  const day = fields[dayAt];
  const identity = fields[identityAt];
  if (!day && !identity) return undefined;
  const valuesByDay = new Map<number | undefined, Set<string>>();
  for (const ordinal of partitions) {
    const name = index.partitionName(ordinal);
    if (name === undefined) return undefined;
    const values = JSON.parse(name) as (string | number)[];
    const key = day ? Number(values[dayAt]) : undefined;
    const set = valuesByDay.get(key) ?? new Set<string>();
    if (identity) set.add(String(values[identityAt]));
    valuesByDay.set(key, set);
  }
  return or(
    ...[...valuesByDay].map(([key, values]) =>
      and(
        ...(day && key !== undefined
          ? [gte(day.source, key * microsPerDay), lt(day.source, (key + 1) * microsPerDay)]
          : []),
        ...(identity
          ? [values.size === 1 ? eq(identity.source, [...values][0] ?? "") : isIn(identity.source, [...values])]
          : []),
      ),
    ),
  );
}
