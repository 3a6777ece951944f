import { LakeError } from "../lake-error.ts";
import { bytesOfInteger, bytesOfUuid, exactInteger } from "../manifest/primitive-type.ts";
import type { PartitionValue } from "../manifest/data-file.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";
import { murmur3, murmur3Long } from "./murmur3.ts";

export type CalendarUnit = "year" | "month" | "day" | "hour";

/** A partition transform (specification, "Partition Transforms"). */
export type Transform =
  | { readonly kind: "identity" | "void" | CalendarUnit }
  | { readonly kind: "bucket"; readonly buckets: number }
  | { readonly kind: "truncate"; readonly width: number }
  /** Of a newer specification: readers must go on and ignore it when they filter. */
  | { readonly kind: "unknown"; readonly text: string };

/** Reads `bucket[16]`, `day` and so on; `unknown` for what the specification does not name. */
export function parseTransform(text: string): Transform {
  const parts = /^(bucket|truncate)\[(\d+)\]$/.exec(text);
  const size = Number(parts?.[2] ?? 0);
  if (parts?.[1] === "bucket" && size > 0) return { kind: "bucket", buckets: size };
  if (parts?.[1] === "truncate" && size > 0) return { kind: "truncate", width: size };
  switch (text) {
    case "identity":
    case "void":
    case "year":
    case "month":
    case "day":
    case "hour":
      return { kind: text };
    default:
      return { kind: "unknown", text };
  }
}

/** The type of the partition values that the transform makes of a column of `source`. */
export function resultType(transform: Transform, source: PrimitiveType): PrimitiveType {
  switch (transform.kind) {
    case "identity":
    case "void":
    case "truncate":
      return source;
    case "year":
    case "month":
    case "hour":
    case "bucket":
      return "int";
    case "day":
      return "date";
    case "unknown":
      return "string";
  }
}

/** The transform as a function of one column's values, for loops. Fails as `invalid` where the types do not fit. */
export function compileTransform(
  transform: Transform,
  source: PrimitiveType,
): (value: PartitionValue) => PartitionValue {
  const apply = compileNonNull(transform, source);
  return (value) => (value === null ? null : apply(value));
}

/** The partition value of a column's value (Iceberg, "Partition Transforms"); null of null. */
export function applyTransform(transform: Transform, source: PrimitiveType, value: PartitionValue): PartitionValue {
  return compileTransform(transform, source)(value);
}

function compileNonNull(transform: Transform, source: PrimitiveType): (value: Literal) => PartitionValue {
  switch (transform.kind) {
    case "identity":
      return (value) => value;
    case "void":
      return () => null;
    case "bucket": {
      const hash = compileHash(source);
      return (value) => (hash(value) & 0x7fff_ffff) % transform.buckets;
    }
    case "truncate":
      return compileTruncate(transform.width, source);
    case "year":
    case "month":
    case "day":
    case "hour":
      return compileCalendar(transform.kind, source);
    case "unknown":
      throw new LakeError("unsupported", `partition transform ${transform.text} is not known`);
  }
}

/** The 32-bit hash of appendix B. */
export function bucketHash(source: PrimitiveType, value: Literal): number {
  return compileHash(source)(value);
}

function compileHash(source: PrimitiveType): (value: Literal) => number {
  switch (source) {
    case "int":
    case "long":
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
      return (value) => murmur3Long(value as number | bigint);
    case "timestamp_ns":
    case "timestamptz_ns":
      return (value) => murmur3Long(floorDivide(value as number | bigint, 1000));
    case "string":
      return (value) => murmur3(Buffer.from(value as string, "utf8"));
    case "uuid":
      return (value) => murmur3(bytesOfUuid(value as string));
    case "binary":
      return (value) => murmur3(value as Uint8Array);
    default:
      if (source.startsWith("fixed")) return (value) => murmur3(value as Uint8Array);
      if (source.startsWith("decimal")) return (value) => murmur3(bytesOfInteger(BigInt(value as bigint)));
      throw unfit("bucket", source);
  }
}

function compileTruncate(width: number, source: PrimitiveType): (value: Literal) => Literal {
  switch (source) {
    case "int":
    case "long":
      return (value) => truncateInteger(width, value as number | bigint);
    case "string":
      return (value) => truncateString(width, value as string);
    case "binary":
      return (value) => (value as Uint8Array).slice(0, width);
    default:
      if (source.startsWith("decimal")) return (value) => truncateBig(BigInt(width), BigInt(value as bigint));
      throw unfit("truncate", source);
  }
}

function truncateInteger(width: number, value: number | bigint): number | bigint {
  if (typeof value === "bigint") return exactInteger(truncateBig(BigInt(width), value));
  return value - (((value % width) + width) % width);
}

function truncateBig(width: bigint, value: bigint): bigint {
  return value - (((value % width) + width) % width);
}

function truncateString(width: number, text: string): string {
  if (text.length <= width) return text;
  let units = 0;
  for (let points = 0; points < width && units < text.length; points++) {
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}

const HOURS_A_DAY = 24;
const MICROS_AN_HOUR = 3_600_000_000;
const MS_A_DAY = 86_400_000;

function compileCalendar(unit: CalendarUnit, source: PrimitiveType): (value: Literal) => number {
  if (source === "date") {
    if (unit === "hour") throw unfit(unit, source);
    return (value) => calendarOfDay(unit, Number(value));
  }
  const unitsAnHour = unitsPerHour(unit, source);
  if (unit === "hour") return (value) => Number(floorDivide(value as number | bigint, unitsAnHour));
  return (value) => calendarOfDay(unit, Number(floorDivide(value as number | bigint, unitsAnHour * HOURS_A_DAY)));
}

function unitsPerHour(unit: CalendarUnit, source: PrimitiveType): number {
  switch (source) {
    case "timestamp":
    case "timestamptz":
      return MICROS_AN_HOUR;
    case "timestamp_ns":
    case "timestamptz_ns":
      return MICROS_AN_HOUR * 1000;
    default:
      throw unfit(unit, source);
  }
}

function calendarOfDay(unit: Exclude<CalendarUnit, "hour">, day: number): number {
  if (unit === "day") return day;
  const date = new Date(day * MS_A_DAY);
  const years = date.getUTCFullYear() - 1970;
  return unit === "year" ? years : years * 12 + date.getUTCMonth();
}

function floorDivide(value: number | bigint, by: number): number | bigint {
  if (typeof value === "number") return Math.floor(value / by);
  const divisor = BigInt(by);
  const quotient = value / divisor;
  return exactInteger(value % divisor < 0n ? quotient - 1n : quotient);
}

function unfit(transform: string, source: PrimitiveType): LakeError {
  return new LakeError("invalid", `transform ${transform} does not take ${source}`);
}
