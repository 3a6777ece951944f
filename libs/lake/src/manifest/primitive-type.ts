import type { PrimitiveType } from "../metadata/schema.ts";

/** `decimal(P, S)` and `fixed[L]` taken apart. */
export interface DecimalType {
  readonly precision: number;
  readonly scale: number;
}

export function decimalType(type: PrimitiveType): DecimalType | undefined {
  const parts = /^decimal\((\d+), ?(\d+)\)$/.exec(type);
  return parts === null ? undefined : { precision: Number(parts[1]), scale: Number(parts[2]) };
}

/** The length in bytes of a `fixed[L]`. */
export function fixedLength(type: PrimitiveType): number | undefined {
  const parts = /^fixed\[(\d+)\]$/.exec(type);
  return parts === null ? undefined : Number(parts[1]);
}

/** Bytes that a fixed-length decimal of this precision needs (specification, appendix A, Avro). */
export function decimalBytes(precision: number): number {
  let bytes = 1;
  while (2n ** BigInt(8 * bytes - 1) - 1n < 10n ** BigInt(precision) - 1n) bytes++;
  return bytes;
}

/** Two's complement, big-endian, in `length` bytes, or in as few as hold the value. */
export function bytesOfInteger(value: bigint, length = minimalLength(value)): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function integerOfBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

function minimalLength(value: bigint): number {
  let length = 1;
  while (BigInt.asIntN(8 * length, value) !== value) length++;
  return length;
}

/** The 16 bytes of a uuid's text. */
export function bytesOfUuid(uuid: string): Uint8Array {
  return Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"));
}

export function uuidOfBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A 64-bit integer as a number where that is exact, else as it is. */
export function exactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
