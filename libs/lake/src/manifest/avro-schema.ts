import type { PrimitiveType } from "../metadata/schema.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import type { AvroField, AvroSchema } from "./avro-decoder.ts";
import { decimalBytes, decimalType, fixedLength } from "./primitive-type.ts";

/** Avro schemas of manifests (specification, "Manifests") and manifest lists ("Manifest Lists"), format version 2. */

const required = (id: number, name: string, type: AvroSchema): AvroField => ({ name, type, "field-id": id });
const optional = (id: number, name: string, type: AvroSchema): AvroField => ({
  name,
  type: ["null", type],
  default: null,
  "field-id": id,
});

function mapOf(keyId: number, valueId: number, value: AvroSchema): AvroSchema {
  return {
    type: "array",
    logicalType: "map",
    items: {
      type: "record",
      name: `k${keyId}_v${valueId}`,
      fields: [required(keyId, "key", "int"), required(valueId, "value", value)],
    },
  };
}

function listOf(elementId: number, items: AvroSchema): AvroSchema {
  return { type: "array", items, "element-id": elementId };
}

/** The fields of a data file, in the order in which encode-manifest.ts writes them. */
function dataFileFields(spec: BoundSpec): AvroField[] {
  return [
    required(134, "content", "int"),
    required(100, "file_path", "string"),
    required(101, "file_format", "string"),
    required(102, "partition", partitionSchema(spec)),
    required(103, "record_count", "long"),
    required(104, "file_size_in_bytes", "long"),
    optional(108, "column_sizes", mapOf(117, 118, "long")),
    optional(109, "value_counts", mapOf(119, 120, "long")),
    optional(110, "null_value_counts", mapOf(121, 122, "long")),
    optional(137, "nan_value_counts", mapOf(138, 139, "long")),
    optional(125, "lower_bounds", mapOf(126, 127, "bytes")),
    optional(128, "upper_bounds", mapOf(129, 130, "bytes")),
    optional(131, "key_metadata", "bytes"),
    optional(132, "split_offsets", listOf(133, "long")),
    optional(135, "equality_ids", listOf(136, "int")),
    optional(140, "sort_order_id", "int"),
    optional(143, "referenced_data_file", "string"),
  ];
}

export function manifestEntrySchema(spec: BoundSpec): AvroSchema {
  return {
    type: "record",
    name: "manifest_entry",
    fields: [
      required(0, "status", "int"),
      optional(1, "snapshot_id", "long"),
      optional(3, "sequence_number", "long"),
      optional(4, "file_sequence_number", "long"),
      required(2, "data_file", { type: "record", name: "r2", fields: dataFileFields(spec) }),
    ],
  };
}

/** The fields of a manifest list, in the order in which manifest-list.ts writes them. */
export const MANIFEST_FILE_SCHEMA: AvroSchema = {
  type: "record",
  name: "manifest_file",
  fields: [
    required(500, "manifest_path", "string"),
    required(501, "manifest_length", "long"),
    required(502, "partition_spec_id", "int"),
    required(517, "content", "int"),
    required(515, "sequence_number", "long"),
    required(516, "min_sequence_number", "long"),
    required(503, "added_snapshot_id", "long"),
    required(504, "added_files_count", "int"),
    required(505, "existing_files_count", "int"),
    required(506, "deleted_files_count", "int"),
    required(512, "added_rows_count", "long"),
    required(513, "existing_rows_count", "long"),
    required(514, "deleted_rows_count", "long"),
    optional(
      507,
      "partitions",
      listOf(508, {
        type: "record",
        name: "r508",
        fields: [
          required(509, "contains_null", "boolean"),
          optional(518, "contains_nan", "boolean"),
          optional(510, "lower_bound", "bytes"),
          optional(511, "upper_bound", "bytes"),
        ],
      }),
    ),
    optional(519, "key_metadata", "bytes"),
  ],
};

function partitionSchema(spec: BoundSpec): AvroSchema {
  const fields = spec.fields.map((field) => {
    const name = avroName(field.name);
    const base = optional(field.fieldId, name, avroType(field.resultType));
    return name === field.name ? base : { ...base, "iceberg-field-name": field.name };
  });
  return { type: "record", name: "r102", fields: withFixedTypesOnce(fields) };
}

/** Avro lets a named type be written out once; later uses are by name. */
function withFixedTypesOnce(fields: readonly AvroField[]): AvroField[] {
  const seen = new Set<string>();
  return fields.map((field) => {
    const [nothing, type] = field.type as [string, AvroSchema];
    if (typeof type === "string" || Array.isArray(type)) return field;
    const { name } = type as { name?: string };
    if (name === undefined || !seen.has(name)) {
      if (name !== undefined) seen.add(name);
      return field;
    }
    return { ...field, type: [nothing, name] };
  });
}

/** How a partition value of this type is written (specification, appendix A, "Avro"). */
function avroType(type: PrimitiveType): AvroSchema {
  switch (type) {
    case "boolean":
    case "int":
    case "long":
    case "float":
    case "double":
    case "string":
      return type;
    case "binary":
      return "bytes";
    case "date":
      return { type: "int", logicalType: "date" };
    case "time":
      return { type: "long", logicalType: "time-micros" };
    case "timestamp":
    case "timestamptz":
      return { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": type === "timestamptz" };
    case "timestamp_ns":
    case "timestamptz_ns":
      return { type: "long", logicalType: "timestamp-nanos", "adjust-to-utc": type === "timestamptz_ns" };
    case "uuid":
      return { type: "fixed", size: 16, logicalType: "uuid", name: "uuid_fixed" };
    default: {
      const decimal = decimalType(type);
      if (decimal === undefined) return fixedSchema(fixedLength(type)!);
      const { precision, scale } = decimal;
      const name = `decimal_${precision}_${scale}`;
      return { type: "fixed", size: decimalBytes(precision), logicalType: "decimal", precision, scale, name };
    }
  }
}

function fixedSchema(size: number): AvroSchema {
  return { type: "fixed", size, name: `fixed_${size}` };
}

/** A name that Avro takes, made as Java makes it: `data-type` → `data_x2Dtype`, `1st` → `_1st`. */
export function avroName(name: string): string {
  return Array.from({ length: name.length }, (_, at) => {
    const character = name[at]!;
    if (/[A-Za-z_]/.test(character)) return character;
    if (/[0-9]/.test(character)) return at === 0 ? `_${character}` : character;
    return `_x${character.charCodeAt(0).toString(16).toUpperCase()}`;
  }).join("");
}
