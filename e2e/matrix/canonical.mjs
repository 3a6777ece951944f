// Rows in one form, whatever engine gave them: the measure of the matrix. A scalar becomes text (a null stays null), a
// list an array, a map an array of pairs in the order of their keys, a struct an array of pairs in the order of its
// fields. Equal values have equal forms: all digits of 64 bits, -0 apart from 0, microseconds, the scale of decimals.
import { createHash } from "node:crypto";

const SPECIAL = { nan: NaN, inf: Infinity, infinity: Infinity, "-inf": -Infinity, "-infinity": -Infinity };
const DAY_MS = 86_400_000;

/** @param columns [{name, type}], in the order of a row's values; types as features/index.mjs has them */
export function canonicalRows(columns, rows) {
  return rows.map((row) => JSON.stringify(columns.map(({ type }, index) => canonicalValue(type, row[index])))).sort();
}

/** The first 8 hexadecimal digits of the SHA-256 of canonical rows, one a line. */
export function checksum(lines) {
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 8);
}

function canonicalValue(type, value) {
  if (value === null || value === undefined) return null;
  if (type.list) return value.map((item) => canonicalValue(type.list, item));
  if (type.map) return canonicalMap(type.map, value);
  if (type.struct)
    return Object.entries(type.struct).map(([name, fieldType], index) => [
      name,
      canonicalValue(fieldType, Array.isArray(value) ? value[index] : value[name]),
    ]);
  return canonicalScalar(type, value);
}

/** From an object, from pairs, or from [{key, value}]. */
function canonicalMap([keyType, valueType], value) {
  const pairs = Array.isArray(value)
    ? value.map((pair) => (Array.isArray(pair) ? pair : [pair.key, pair.value]))
    : Object.entries(value);
  return pairs
    .map(([key, item]) => [canonicalValue(keyType, key), canonicalValue(valueType, item)])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function canonicalScalar(type, value) {
  if (type.startsWith("decimal")) return fixedPoint(value, Number(/,\s*(\d+)\)/.exec(type)[1]));
  switch (type) {
    case "boolean":
      return String(value);
    case "int":
    case "long":
      return BigInt(value).toString();
    case "float":
      return floating(Math.fround(numberOf(value)));
    case "double":
      return floating(numberOf(value));
    case "date":
      return isWhole(value) ? new Date(Number(value) * DAY_MS).toISOString().slice(0, 10) : String(value).slice(0, 10);
    case "timestamp":
    case "timestamptz":
      return isWhole(value) ? timeOfMicroseconds(BigInt(value)) : timeOfText(value);
    case "string":
    case "binary":
      return String(value);
    default:
      throw new Error(`no form for ${type}`);
  }
}

function numberOf(value) {
  const special = typeof value === "string" ? SPECIAL[value.toLowerCase()] : undefined;
  return special ?? Number(value);
}

function floating(number) {
  return Object.is(number, -0) ? "-0" : String(number);
}

function fixedPoint(value, scale) {
  const [whole, fraction = ""] = String(value).split(".");
  if (/e/i.test(String(value))) throw new Error(`a decimal as a float: ${value}`);
  const digits = fraction.padEnd(scale, "0");
  if (!/^0*$/.test(digits.slice(scale))) throw new Error(`more digits than the type has: ${value}`);
  return scale === 0 ? whole : `${whole}.${digits.slice(0, scale)}`;
}

function isWhole(value) {
  return /^-?\d+$/.test(String(value));
}

function timeOfMicroseconds(microseconds) {
  const inSecond = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = (microseconds - inSecond) / 1_000_000n;
  const text = new Date(Number(seconds) * 1_000).toISOString().slice(0, 19);
  return `${text}.${String(inSecond).padStart(6, "0")}`;
}

/** `2026-01-31 10:00:00.5+00:00` and its like, in UTC. */
function timeOfText(text) {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})0*)?(?:Z| ?UTC|[+-]00(?::?00)?)?$/.exec(text);
  if (!parts) throw new Error(`no time in UTC: ${text}`);
  return `${parts[1]}T${parts[2]}.${(parts[3] ?? "").padEnd(6, "0")}`;
}
