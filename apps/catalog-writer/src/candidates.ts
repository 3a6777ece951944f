import { columnTypeOf, type PartitionFieldDefinition, type TableDefinition } from "@firn/core";
import { and, eq, gte, isIn, isNull, type Literal, lt, or, type Predicate } from "@firn/lake";
import type { KeyIndex } from "./key-index/key-index.ts";
import { locatingFields, type LocatingValue } from "./partition-name.ts";

const microsPerHour = 3_600_000_000;
const microsPerDay = 24 * microsPerHour;

/**
 * The condition that rows of these partitions meet (see `partitionNameSql`); undefined where any row may be in one.
 * Partitions that differ in the value of one identity only are gathered, so that the condition grows with the days, not
 * with the partitions.
 */
export function candidatePredicate(
  definition: TableDefinition,
  index: Pick<KeyIndex, "partitionName">,
  partitions: ReadonlySet<number>,
): Predicate | undefined {
  const fields = locatingFields(definition);
  if (fields.length === 0) return undefined;
  const gatheredAt = fields.findLastIndex((field) => field.transform === "identity");
  const groups = new Map<string, { values: readonly LocatingValue[]; gathered: Set<LocatingValue> }>();
  for (const ordinal of partitions) {
    const name = index.partitionName(ordinal);
    if (name === undefined) return undefined;
    const values = JSON.parse(name) as LocatingValue[];
    const key = JSON.stringify(values.filter((_, at) => at !== gatheredAt));
    const group = groups.get(key) ?? { values, gathered: new Set() };
    if (gatheredAt >= 0) group.gathered.add(values[gatheredAt]!);
    groups.set(key, group);
  }
  return or(
    ...[...groups.values()].map(({ values, gathered }) =>
      and(
        ...fields.map((field, at) =>
          at === gatheredAt ? identityIn(definition, field, gathered) : inPartition(definition, field, values[at]!),
        ),
      ),
    ),
  );
}

function identityIn(
  definition: TableDefinition,
  { source }: PartitionFieldDefinition,
  gathered: ReadonlySet<LocatingValue>,
): Predicate {
  const values = [...gathered].filter((value) => value !== null).map((value) => literalOf(definition, source, value));
  const some = values.length === 1 ? eq(source, values[0]!) : isIn(source, values);
  if (!gathered.has(null)) return some;
  return values.length === 0 ? isNull(source) : or(isNull(source), some);
}

/** Rows whose value of the field is this one. */
function inPartition(definition: TableDefinition, field: PartitionFieldDefinition, value: LocatingValue): Predicate {
  const { source, transform } = field;
  if (value === null) return isNull(source);
  if (transform === "identity") return eq(source, literalOf(definition, source, value));
  const type = columnTypeOf(definition, source);
  const instant = (day: number) => (type === "date" ? day : day * microsPerDay);
  const number = Number(value);
  switch (transform) {
    case "hour":
      return within(source, number * microsPerHour, (number + 1) * microsPerHour);
    case "day":
      return within(source, instant(number), instant(number + 1));
    case "month":
      return within(source, instant(dayOfMonth(number)), instant(dayOfMonth(number + 1)));
    case "year":
      return within(source, instant(dayOfMonth(number * 12)), instant(dayOfMonth((number + 1) * 12)));
    default:
      return inTruncated(definition, field, value);
  }
}

/** First day, since the epoch, of the month that is so many months after January 1970. */
function dayOfMonth(months: number): number {
  return (Date.UTC(1970, months, 1) * 1000) / microsPerDay;
}

function inTruncated(
  definition: TableDefinition,
  { source, transform }: PartitionFieldDefinition,
  value: LocatingValue,
): Predicate {
  const literal = literalOf(definition, source, value!);
  if (typeof literal === "string") {
    const after = prefixAfter(literal);
    return after === undefined ? gte(source, literal) : within(source, literal, after);
  }
  const width = BigInt(/\d+/.exec(transform)![0]);
  return within(source, literal, BigInt(literal as number | bigint) + width);
}

/** The first text after all that begin with the prefix, by code points; undefined where there is none. */
function prefixAfter(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0)!);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

function literalOf(definition: TableDefinition, source: string, value: NonNullable<LocatingValue>): Literal {
  const type = columnTypeOf(definition, source);
  return type === "long" || type === "timestamptz" ? BigInt(value) : value;
}

function within(column: string, from: Literal, before: Literal): Predicate {
  return and(gte(column, from), lt(column, before));
}
