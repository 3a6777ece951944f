/**
 * Iceberg schemas as they stand in JSON (Iceberg specification, appendix C "Schemas").
 * The JSON is the type: nothing is renamed on the way in or out.
 */
export type PrimitiveType =
  | "boolean"
  | "int"
  | "long"
  | "float"
  | "double"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "timestamp_ns"
  | "timestamptz_ns"
  | "string"
  | "uuid"
  | "binary"
  | "unknown"
  | "variant"
  | `decimal(${number},${number})`
  | `decimal(${number}, ${number})`
  | `fixed[${number}]`
  | `geometry${string}`
  | `geography${string}`;

export interface StructField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
  readonly "initial-default"?: unknown;
  readonly "write-default"?: unknown;
}

export interface StructType {
  readonly type: "struct";
  readonly fields: readonly StructField[];
}

export interface ListType {
  readonly type: "list";
  readonly "element-id": number;
  readonly "element-required": boolean;
  readonly element: IcebergType;
}

export interface MapType {
  readonly type: "map";
  readonly "key-id": number;
  readonly key: IcebergType;
  readonly "value-id": number;
  readonly "value-required": boolean;
  readonly value: IcebergType;
}

export type NestedType = StructType | ListType | MapType;
export type IcebergType = PrimitiveType | NestedType;

export interface Schema extends StructType {
  readonly "schema-id": number;
  readonly "identifier-field-ids"?: readonly number[];
}

/** A schema without its id, as a create request or an add-schema update may carry it. */
export type UnnumberedSchema = Omit<Schema, "schema-id"> & { readonly "schema-id"?: number };

/** Whether it is a struct, a list or a map. */
export function isNested(type: IcebergType): type is NestedType {
  return typeof type !== "string";
}

export interface FieldPlace {
  readonly field: {
    readonly id: number;
    readonly name: string;
    readonly required: boolean;
    readonly type: IcebergType;
  };
  /** Full dotted name: `address.city`, `tags.element`, `metadata.key`, `metadata.value`. */
  readonly path: string;
  /** Ids of the fields around this one, outermost first. */
  readonly parents: readonly number[];
}

function childrenOf(type: NestedType): FieldPlace["field"][] {
  switch (type.type) {
    case "struct":
      return [...type.fields];
    case "list":
      return [{ id: type["element-id"], name: "element", required: type["element-required"], type: type.element }];
    case "map":
      return [
        { id: type["key-id"], name: "key", required: true, type: type.key },
        { id: type["value-id"], name: "value", required: type["value-required"], type: type.value },
      ];
  }
}

function collectFields(type: NestedType, prefix: string, parents: readonly number[], into: FieldPlace[]): void {
  for (const field of childrenOf(type)) {
    const path = prefix === "" ? field.name : `${prefix}.${field.name}`;
    into.push({ field, path, parents });
    if (isNested(field.type)) collectFields(field.type, path, [...parents, field.id], into);
  }
}

/** Every field of the schema, nested ones, list elements, map keys and values included; parents before children. */
export function allFields(schema: StructType): FieldPlace[] {
  const places: FieldPlace[] = [];
  collectFields(schema, "", [], places);
  return places;
}

/** The field with this id at any depth. */
export function fieldById(schema: StructType, id: number): FieldPlace | undefined {
  return allFields(schema).find((place) => place.field.id === id);
}

/** The top-level field of this name. */
export function columnByName(schema: StructType, name: string): StructField | undefined {
  return schema.fields.find((field) => field.name === name);
}

/** The highest field id in use, 0 for an empty schema. */
export function highestFieldId(schema: StructType): number {
  return allFields(schema).reduce((highest, place) => Math.max(highest, place.field.id), 0);
}
