import { LakeError } from "../lake-error.ts";
import type { AvroReader } from "./avro-binary.ts";
import { EncodedMap, type EncodedValue } from "./encoded-map.ts";

/** An Avro schema as JSON. */
export type AvroSchema = string | readonly AvroSchema[] | AvroComplexSchema;

export interface AvroComplexSchema {
  readonly type: AvroSchema;
  readonly name?: string;
  readonly namespace?: string;
  readonly fields?: readonly AvroField[];
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly symbols?: readonly string[];
  readonly size?: number;
  readonly logicalType?: string;
  readonly [property: string]: unknown;
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly "field-id"?: number;
  readonly [property: string]: unknown;
}

/** Reads one value; `undefined` is Avro's null. */
export type Decode = (reader: AvroReader) => unknown;

/**
 * The property that a record field is read into; undefined: its value is skipped.
 * @param record the property that the record itself is read into, `""` for the outermost one.
 */
export type NameField = (field: AvroField, record: string) => string | undefined;

/**
 * Makes a reader out of the schema that a file was written with, whatever order, optional fields and additions its
 * writer chose. Records become objects without their null fields, arrays of key/value records become Maps (that is
 * how Iceberg writes maps with keys other than strings; of integers to integers or bytes they are EncodedMaps), longs numbers where exact, else bigints.
 */
export function compileDecoder(schema: AvroSchema, nameField: NameField, options: DecoderOptions = {}): Decode {
  return compile(schema, "", { nameField, reused: options.reused ?? new Set(), named: new Map(), depth: 0 });
}

export interface DecoderOptions {
  /**
   * Properties that records are read into (see `NameField`) of which there is only ever one object, with all of its
   * fields: whoever reads takes out what is in it before the next value is read. Spares most of the garbage.
   */
  readonly reused?: ReadonlySet<string>;
}

/** The schema in the header of a container. @throws LakeError `corrupt` */
export function avroSchemaOf(metadata: ReadonlyMap<string, string>): AvroSchema {
  const text = metadata.get("avro.schema");
  if (text === undefined) throw new LakeError("corrupt", "it has no Avro schema");
  try {
    return JSON.parse(text) as AvroSchema;
  } catch (cause) {
    throw new LakeError("corrupt", "its Avro schema is no JSON", { cause });
  }
}

/** Schemas of manifests nest five levels. */
const DEPTH_MAX = 40;

interface Compilation {
  readonly nameField: NameField;
  readonly reused: ReadonlySet<string>;
  readonly named: Map<string, Decode>;
  readonly depth: number;
}

function compile(schema: AvroSchema, place: string, outer: Compilation): Decode {
  const context = { ...outer, depth: outer.depth + 1 };
  if (context.depth > DEPTH_MAX)
    throw new LakeError("corrupt", `its Avro schema nests deeper than ${DEPTH_MAX} levels`);
  if (typeof schema !== "string" && (typeof schema !== "object" || schema === null)) {
    throw new LakeError("corrupt", "its Avro schema is none");
  }
  if (typeof schema === "string") return primitive(schema) ?? reference(schema, context);
  if (isUnion(schema)) return compileUnion(schema, place, context);
  switch (schema.type) {
    case "record":
      return compileRecord(schema, place, context);
    case "array":
      return compileArray(part(schema, "items"), place, context);
    case "map":
      return compileMap(part(schema, "values"), place, context);
    case "fixed": {
      const { size } = schema;
      if (!Number.isSafeInteger(size) || size! < 0) throw new LakeError("corrupt", "an Avro fixed type has no size");
      return define(schema, (reader) => reader.fixed(size!), context);
    }
    case "enum": {
      const symbols = schema.symbols ?? [];
      return define(schema, (reader) => symbols[reader.count()], context);
    }
    default:
      return compile(schema.type, place, context);
  }
}

function part(schema: AvroComplexSchema, name: "items" | "values"): AvroSchema {
  const inner = schema[name];
  if (inner === undefined) throw new LakeError("corrupt", `an Avro type has no ${name}`);
  return inner;
}

const isUnion = (schema: AvroSchema): schema is readonly AvroSchema[] => Array.isArray(schema);

function primitive(name: string): Decode | undefined {
  switch (name) {
    case "null":
      return () => undefined;
    case "boolean":
      return (reader) => reader.boolean();
    case "int":
    case "long":
      return (reader) => reader.long();
    case "float":
      return (reader) => reader.float();
    case "double":
      return (reader) => reader.double();
    case "string":
      return (reader) => reader.string();
    case "bytes":
      return (reader) => reader.bytes();
    default:
      return undefined;
  }
}

function reference(name: string, { named }: Compilation): Decode {
  // Looked up when it is used: a record may hold itself.
  return (reader) => {
    const decode = named.get(name) ?? named.get(name.slice(name.lastIndexOf(".") + 1));
    if (decode === undefined) throw new LakeError("corrupt", `Avro type ${name} is not defined`);
    return decode(reader);
  };
}

function define(schema: AvroComplexSchema, decode: Decode, { named }: Compilation): Decode {
  if (schema.name !== undefined) named.set(schema.name.slice(schema.name.lastIndexOf(".") + 1), decode);
  return decode;
}

function compileUnion(branches: readonly AvroSchema[], place: string, context: Compilation): Decode {
  const decoders = branches.map((branch) => compile(branch, place, context));
  return (reader) => {
    const decode = decoders[reader.count()];
    if (decode === undefined) throw new LakeError("corrupt", "Avro: no such branch of a union");
    return decode(reader);
  };
}

function compileRecord(schema: AvroComplexSchema, place: string, context: Compilation): Decode {
  if (!Array.isArray(schema.fields) || !schema.fields.every((field: unknown) => typeof field === "object" && field)) {
    throw new LakeError("corrupt", "an Avro record has no fields");
  }
  const fields = (schema.fields as readonly AvroField[]).map((field) => {
    const target = context.nameField(field, place);
    return { target, decode: compile(field.type, target ?? "", context) };
  });
  if (context.reused.has(place)) return define(schema, intoSameRecord(fields), context);
  return define(
    schema,
    (reader) => {
      const record: Record<string, unknown> = {};
      for (const { target, decode } of fields) {
        const value = decode(reader);
        if (target !== undefined && value !== undefined) record[target] = value;
      }
      return record;
    },
    context,
  );
}

function intoSameRecord(fields: readonly { readonly target: string | undefined; readonly decode: Decode }[]): Decode {
  const record: Record<string, unknown> = {};
  for (const { target } of fields) if (target !== undefined) record[target] = undefined;
  return (reader) => {
    for (const { target, decode } of fields) {
      const value = decode(reader);
      if (target !== undefined) record[target] = value;
    }
    return record;
  };
}

function compileArray(items: AvroSchema, place: string, context: Compilation): Decode {
  const pair = pairOf(items);
  const encoded = pair === undefined ? undefined : encodedValueOf(pair);
  if (encoded !== undefined) return (reader) => new EncodedMap(reader, encoded);
  if (pair !== undefined) {
    const decodeKey = compile(pair[0], place, context);
    const decodeValue = compile(pair[1], place, context);
    return (reader) => {
      const map = new Map<unknown, unknown>();
      eachItem(reader, () => map.set(decodeKey(reader), decodeValue(reader)));
      return map;
    };
  }
  const decode = compile(items, place, context);
  return (reader) => {
    const list: unknown[] = [];
    eachItem(reader, () => list.push(decode(reader)));
    return list;
  };
}

/** The types of key and value when the schema is a key/value record. */
function pairOf(items: AvroSchema): [AvroSchema, AvroSchema] | undefined {
  if (typeof items === "string" || isUnion(items) || items.fields?.length !== 2) return undefined;
  const [key, value] = items.fields;
  return key?.name === "key" && value?.name === "value" ? [key.type, value.type] : undefined;
}

/** Maps from integers to integers or bytes stay encoded. */
function encodedValueOf([key, value]: [AvroSchema, AvroSchema]): EncodedValue | undefined {
  if (key !== "int" && key !== "long") return undefined;
  if (value === "int" || value === "long") return "long";
  return value === "bytes" ? "bytes" : undefined;
}

function compileMap(values: AvroSchema, place: string, context: Compilation): Decode {
  const decode = compile(values, place, context);
  return (reader) => {
    const map = new Map<string, unknown>();
    eachItem(reader, () => map.set(reader.string(), decode(reader)));
    return map;
  };
}

function eachItem(reader: AvroReader, read: () => void): void {
  for (let items = reader.count(); items !== 0; items = reader.count()) {
    // A negative count is followed by the size of the block in bytes.
    if (items < 0) reader.count();
    if (Math.abs(items) > reader.remaining) throw new LakeError("corrupt", "Avro: an array is longer than the data");
    for (let n = Math.abs(items); n > 0; n--) {
      const { position } = reader;
      read();
      // Items without bytes could be without end.
      if (reader.position === position) throw new LakeError("corrupt", "Avro: an array has items without bytes");
    }
  }
}
