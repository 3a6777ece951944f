import { LakeError } from "../lake-error.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";
import { bytesOfInteger, bytesOfUuid, exactInteger, integerOfBytes, uuidOfBytes } from "./primitive-type.ts";

/** Code points of a string bound, bytes of a binary one; Iceberg's default metrics mode is truncate(16). */
export const BOUND_LENGTH_MAX = 16;

/**
 * Binary single-value serialisation (specification, appendix D): what bounds in manifests are made of.
 * Values are in Iceberg's own domain, as `Literal` says.
 */
export function encodeSingleValue(type: PrimitiveType, value: Literal): Uint8Array {
  switch (type) {
    case "boolean":
      return Uint8Array.of(value === true ? 1 : 0);
    case "int":
    case "date": {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(Number(value));
      return bytes;
    }
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
    case "timestamptz_ns": {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(value as number | bigint));
      return bytes;
    }
    case "float": {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(Number(value));
      return bytes;
    }
    case "double": {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(Number(value));
      return bytes;
    }
    case "string":
      return Buffer.from(value as string, "utf8");
    case "uuid":
      return bytesOfUuid(value as string);
    default:
      if (type.startsWith("decimal")) return bytesOfInteger(BigInt(value as number | bigint));
      if (type === "binary" || type.startsWith("fixed")) return value as Uint8Array;
      throw noSingleValue(type);
  }
}

/**
 * The value of a bound. A column that was promoted keeps bounds of its old type: four bytes are read as an int under
 * `long` and as a float under `double`.
 */
export function decodeSingleValue(type: PrimitiveType, bytes: Uint8Array): Literal {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case "boolean":
      return buffer[0] !== 0;
    case "int":
    case "date":
      return sized(type, buffer, 4).readInt32LE();
    case "long":
      if (buffer.length === 4) return buffer.readInt32LE();
      return exactInteger(sized(type, buffer, 8).readBigInt64LE());
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
    case "timestamptz_ns":
      return exactInteger(sized(type, buffer, 8).readBigInt64LE());
    case "float":
      return sized(type, buffer, 4).readFloatLE();
    case "double":
      return buffer.length === 4 ? buffer.readFloatLE() : sized(type, buffer, 8).readDoubleLE();
    case "string":
      return buffer.toString("utf8");
    case "uuid":
      return uuidOfBytes(sized(type, buffer, 16));
    default:
      if (type.startsWith("decimal")) return integerOfBytes(bytes);
      if (type === "binary" || type.startsWith("fixed")) return bytes;
      throw noSingleValue(type);
  }
}

/** The lower bound to write for a column whose lowest value is `lowest`: a string or binary is cut, which lowers it. */
export function lowerBoundOf(type: PrimitiveType, lowest: Literal): Uint8Array {
  if (typeof lowest === "string" && type === "string") return encodeSingleValue(type, firstCodePoints(lowest));
  const bytes = encodeSingleValue(type, lowest);
  return type === "binary" ? bytes.slice(0, BOUND_LENGTH_MAX) : bytes;
}

/**
 * The upper bound to write for a column whose highest value is `highest`. A string or binary that is cut is raised to
 * the next that is higher than all with the same beginning; undefined when there is none: then no bound is written.
 */
export function upperBoundOf(type: PrimitiveType, highest: Literal): Uint8Array | undefined {
  if (typeof highest === "string" && type === "string") {
    const bound = upperString(highest);
    return bound === undefined ? undefined : encodeSingleValue(type, bound);
  }
  const bytes = encodeSingleValue(type, highest);
  return type === "binary" ? upperBinary(bytes) : bytes;
}

function firstCodePoints(text: string): string {
  if (text.length <= BOUND_LENGTH_MAX) return text;
  let units = 0;
  for (let points = 0; points < BOUND_LENGTH_MAX && units < text.length; points++) {
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}

const LAST_CODE_POINT = 0x10ffff;

function upperString(text: string): string | undefined {
  const cut = firstCodePoints(text);
  if (cut.length === text.length) return text;
  const points = Array.from(cut, (character) => character.codePointAt(0)!);
  for (let last = points.length - 1; last >= 0; last--) {
    if (points[last] === LAST_CODE_POINT) continue;
    const next = points[last]! + 1;
    // The surrogates between U+D800 and U+DFFF are no characters.
    const raised = next >= 0xd800 && next <= 0xdfff ? 0xe000 : next;
    return String.fromCodePoint(...points.slice(0, last), raised);
  }
  return undefined;
}

function upperBinary(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length <= BOUND_LENGTH_MAX) return bytes;
  for (let last = BOUND_LENGTH_MAX - 1; last >= 0; last--) {
    if (bytes[last] === 0xff) continue;
    const bound = bytes.slice(0, last + 1);
    bound[last]! += 1;
    return bound;
  }
  return undefined;
}

function sized(type: string, buffer: Buffer, length: number): Buffer {
  if (buffer.length === length) return buffer;
  throw new LakeError("corrupt", `a ${type} bound has ${buffer.length} bytes in place of ${length}`);
}

function noSingleValue(type: string): LakeError {
  return new LakeError("unsupported", `type ${type} has no single-value serialisation here`);
}
