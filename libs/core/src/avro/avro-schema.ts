import { AvroError } from "./avro-error.ts";

/**
 * A writer's schema with its names resolved (Avro 1.12 specification, "Schema Declaration"): a tree whose records may
 * hold themselves. `logical` is kept where a payload's JSON has another form for it.
 */
export type AvroType =
  | { readonly kind: "null" | "boolean" | "int" | "float" | "double" | "string" | "bytes" }
  | { readonly kind: "long"; readonly logical: "timestamp-millis" | "timestamp-micros" | undefined }
  | { readonly kind: "fixed"; readonly size: number }
  | { readonly kind: "enum"; readonly symbols: readonly string[] }
  | { readonly kind: "array"; readonly items: AvroType }
  | { readonly kind: "map"; readonly values: AvroType }
  | { readonly kind: "union"; readonly branches: readonly AvroType[] }
  | AvroRecordType;

export interface AvroRecordType {
  readonly kind: "record";
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: AvroType }[];
}

/** Types that a schema may nest, so that reading it needs no more stack than there is. */
const DEPTH_MAX = 64;
const PRIMITIVES = ["null", "boolean", "int", "float", "double", "string", "bytes"] as const;

interface Scope {
  readonly named: Map<string, AvroType>;
  readonly namespace: string;
  readonly depth: number;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Property of a schema: other schemas that it names, each after those that it names itself. A registry keeps such apart
 * ("references").
 */
export const AVRO_DEFINITIONS = "firn.definitions";

/** @throws AvroError `schema` */
export function parseAvroSchema(text: string): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Registries give the schema of a primitive as its bare name, too.
    json = text.trim();
  }
  const scope = { named: new Map<string, AvroType>(), namespace: "", depth: 0 };
  const definitions = (json as Json | null)?.[AVRO_DEFINITIONS];
  if (Array.isArray(definitions)) for (const definition of definitions as unknown[]) parseType(definition, scope);
  return parseType(json, scope);
}

function parseType(json: unknown, scope: Scope): AvroType {
  if (scope.depth > DEPTH_MAX) throw wrong(`types nest deeper than ${DEPTH_MAX} levels`);
  const inner = { ...scope, depth: scope.depth + 1 };
  if (typeof json === "string") return primitive(json, undefined) ?? named(json, scope);
  if (Array.isArray(json)) return { kind: "union", branches: json.map((branch) => parseType(branch, inner)) };
  if (json === null || typeof json !== "object") throw wrong("a type must be a name, an object or an array");
  const schema = json as Json;
  const { type } = schema;
  switch (type) {
    case "record":
    case "error":
      return parseRecord(schema, inner);
    case "enum":
      return define(schema, scope, { kind: "enum", symbols: textsOf(schema, "symbols") });
    case "fixed":
      return define(schema, scope, { kind: "fixed", size: sizeOf(schema) });
    case "array":
      return { kind: "array", items: parseType(schema["items"], inner) };
    case "map":
      return { kind: "map", values: parseType(schema["values"], inner) };
    default:
      return (typeof type === "string" && primitive(type, schema["logicalType"])) || parseType(type, inner);
  }
}

function primitive(name: string, logicalType: unknown): AvroType | undefined {
  if (name === "long") {
    const logical = logicalType === "timestamp-millis" || logicalType === "timestamp-micros" ? logicalType : undefined;
    return { kind: "long", logical };
  }
  const kind = PRIMITIVES.find((one) => one === name);
  return kind && { kind };
}

function parseRecord(schema: Json, scope: Scope): AvroType {
  const fields: { name: string; type: AvroType }[] = [];
  const name = nameOf(schema);
  const record: AvroRecordType = { kind: "record", name, fields };
  const namespace = namespaceOf(schema, scope);
  define(schema, scope, record);
  const list = schema["fields"];
  if (!Array.isArray(list)) throw wrong(`record ${name} has no fields`);
  for (const field of list as unknown[]) {
    const one = (field ?? {}) as Json;
    fields.push({ name: nameOf(one), type: parseType(one["type"], { ...scope, namespace }) });
  }
  return record;
}

function define(schema: Json, scope: Scope, type: AvroType): AvroType {
  const name = nameOf(schema);
  const namespace = namespaceOf(schema, scope);
  scope.named.set(name.includes(".") || namespace === "" ? name : `${namespace}.${name}`, type);
  return type;
}

function named(name: string, { named: types, namespace }: Scope): AvroType {
  const found =
    (name.includes(".") || namespace === "" ? undefined : types.get(`${namespace}.${name}`)) ?? types.get(name);
  if (found === undefined) throw wrong(`type ${name} is not defined`);
  return found;
}

function namespaceOf(schema: Json, scope: Scope): string {
  const name = nameOf(schema);
  if (name.includes(".")) return name.slice(0, name.lastIndexOf("."));
  const own = schema["namespace"];
  return typeof own === "string" ? own : scope.namespace;
}

function nameOf(schema: Json): string {
  const name = schema["name"];
  if (typeof name !== "string" || name === "") throw wrong("a record, field, enum or fixed has no name");
  return name;
}

function textsOf(schema: Json, property: string): readonly string[] {
  const texts = schema[property];
  if (Array.isArray(texts) && texts.every((text) => typeof text === "string")) return texts as string[];
  throw wrong(`${nameOf(schema)} has no ${property}`);
}

function sizeOf(schema: Json): number {
  const size = schema["size"];
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
  throw wrong(`${nameOf(schema)} has no size`);
}

function wrong(why: string): AvroError {
  return new AvroError("schema", why);
}
