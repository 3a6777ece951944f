import type { Partition, PartitionValue } from "../manifest/data-file.ts";
import { decimalType, fixedLength } from "../manifest/primitive-type.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";
import type { BoundPartitionField, BoundSpec } from "./bound-spec.ts";

/**
 * The folder name of a partition as Java writes it: `start_date_day=2026-11-02/data_type=heart%2Frate`. Only a name:
 * no reader takes values from it. Empty for a table without partitions.
 */
export function partitionPath(spec: BoundSpec, partition: Partition): string {
  return spec.fields
    .map((field) => `${formEncode(field.name)}=${formEncode(humanValue(field, partition[field.name] ?? null))}`)
    .join("/");
}

/** A partition value as people read it: `2026-11`, `2026-11-02-07`, `3`. */
export function humanValue(field: BoundPartitionField, value: PartitionValue): string {
  if (value === null) return "null";
  switch (field.transform.kind) {
    case "year":
      return isoDate(Date.UTC(1970 + Number(value), 0, 1)).slice(0, -6);
    case "month":
      return isoDate(Date.UTC(1970, Number(value), 1)).slice(0, -3);
    case "day":
      return isoDate(Number(value) * MS_A_DAY);
    case "hour": {
      const hours = Number(value);
      const day = Math.floor(hours / 24);
      return `${isoDate(day * MS_A_DAY)}-${String(hours - day * 24).padStart(2, "0")}`;
    }
    default:
      return humanLiteral(field.resultType, value);
  }
}

const MS_A_DAY = 86_400_000;

/** `2026-11-02`; years outside 0 to 9999 with a sign and six digits, as ISO 8601 has them. */
function isoDate(ms: number): string {
  return new Date(ms).toISOString().split("T")[0]!;
}

function humanLiteral(type: PrimitiveType, value: Literal): string {
  switch (type) {
    case "date":
      return isoDate(Number(value) * MS_A_DAY);
    case "time":
      return isoMicros(BigInt(value as number | bigint), 1_000_000n).split("T")[1]!;
    case "timestamp":
      return isoMicros(BigInt(value as number | bigint), 1_000_000n);
    case "timestamptz":
      return `${isoMicros(BigInt(value as number | bigint), 1_000_000n)}Z`;
    case "timestamp_ns":
      return isoMicros(BigInt(value as number | bigint), 1_000_000_000n);
    case "timestamptz_ns":
      return `${isoMicros(BigInt(value as number | bigint), 1_000_000_000n)}Z`;
    default: {
      const decimal = decimalType(type);
      if (decimal !== undefined) return decimalText(BigInt(value as bigint), decimal.scale);
      if (type === "binary" || fixedLength(type) !== undefined)
        return Buffer.from(value as Uint8Array).toString("base64");
      return String(value);
    }
  }
}

function isoMicros(value: bigint, unitsASecond: bigint): string {
  const fraction = ((value % unitsASecond) + unitsASecond) % unitsASecond;
  const seconds = Number((value - fraction) / unitsASecond);
  const text = new Date(seconds * 1000).toISOString().slice(0, -5);
  if (fraction === 0n) return text;
  const digits = String(unitsASecond).length - 1;
  const shown = fraction
    .toString()
    .padStart(digits, "0")
    .replace(/(000)+$/, "");
  return `${text}.${shown}`;
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** application/x-www-form-urlencoded, as Java's URLEncoder: what is not a letter, digit, `.-*_` is encoded. */
function formEncode(text: string): string {
  return encodeURIComponent(Buffer.from(text, "utf8").toString("utf8"))
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
