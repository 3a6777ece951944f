import { LakeError } from "../lake-error.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import type { AvroWriter } from "./avro-binary.ts";
import type { AvroField } from "./avro-decoder.ts";
import { avroName } from "./avro-schema.ts";
import type { Partition, PartitionValue } from "./data-file.ts";
import {
  bytesOfInteger,
  bytesOfUuid,
  decimalBytes,
  decimalType,
  integerOfBytes,
  uuidOfBytes,
} from "./primitive-type.ts";

/** Writes partition tuples in the order of the spec's fields, each as a union of null and its type. */
export function partitionWriter(writer: AvroWriter, spec: BoundSpec): (partition: Partition) => void {
  const fields = spec.fields.map(({ name, resultType }) => ({ name, write: valueWriter(writer, resultType) }));
  return (partition) => {
    for (const { name, write } of fields) {
      const value = partition[name] ?? null;
      writer.long(value === null ? 0 : 1);
      if (value !== null) write(value as never);
    }
  };
}

function valueWriter(writer: AvroWriter, type: PrimitiveType): (value: never) => void {
  switch (type) {
    case "boolean":
      return (value: boolean) => writer.boolean(value);
    case "int":
    case "long":
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "timestamp_ns":
    case "timestamptz_ns":
      return (value: number | bigint) => writer.long(value);
    case "float":
      return (value: number) => writer.float(value);
    case "double":
      return (value: number) => writer.double(value);
    case "string":
      return (value: string) => writer.string(value);
    case "uuid":
      return (value: string) => writer.fixed(bytesOfUuid(value));
    case "binary":
      return (value: Uint8Array) => writer.bytes(value);
    default: {
      const decimal = decimalType(type);
      if (decimal === undefined) return (value: Uint8Array) => writer.fixed(value);
      const length = decimalBytes(decimal.precision);
      return (value: bigint) => writer.fixed(bytesOfInteger(BigInt(value), length));
    }
  }
}

export interface PartitionReader {
  /** The partition field that an Avro field of a manifest holds; undefined when the spec has none such. */
  nameOf(field: AvroField): string | undefined;
  /** What Avro gave, as partition values; fields that the manifest lacks are null. */
  read(raw: Readonly<Record<string, unknown>>): Partition;
}

export function partitionReader(spec: BoundSpec): PartitionReader {
  const byId = new Map(spec.fields.map((field) => [field.fieldId, field.name]));
  const byName = new Map(spec.fields.map((field) => [avroName(field.name), field.name]));
  const fields = spec.fields.map(({ name, resultType }) => ({ name, convert: valueReader(resultType) }));
  return {
    nameOf: (field) => byId.get(field["field-id"] ?? -1) ?? byName.get(field.name),
    read(raw) {
      const partition: Record<string, PartitionValue> = {};
      for (const { name, convert } of fields) {
        const value = raw[name];
        partition[name] = value === undefined ? null : convert(value);
      }
      return partition;
    },
  };
}

function valueReader(type: PrimitiveType): (value: unknown) => PartitionValue {
  if (type === "uuid") return (value) => (typeof value === "string" ? value : uuidOfBytes(value as Uint8Array));
  if (decimalType(type) !== undefined) return (value) => integerOfBytes(bytesIn(value, type));
  return (value) => value as PartitionValue;
}

function bytesIn(value: unknown, type: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new LakeError("corrupt", `a ${type} partition value is not made of bytes`);
}
