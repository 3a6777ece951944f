import { LakeError } from "../lake-error.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import { newFieldType } from "./new-field-type.ts";
import {
  allFields,
  isNested,
  type FieldPlace,
  type IcebergType,
  type NestedType,
  type Schema,
  type StructField,
  type UnnumberedSchema,
} from "./schema.ts";
import { defaultSortOrder, defaultSpec, currentSchema, type TableMetadata } from "./table-metadata.ts";
import { validateSchema } from "./validate-table.ts";

/**
 * One change of a schema. Columns are named by their full path: `address.city`, `tags.element.name`,
 * `metadata.value.unit`. Ids never change, so every file and snapshot that is there stays readable.
 */
export type SchemaChange =
  | {
      readonly kind: "add";
      /** The struct that gets it; absent: the table itself. */
      readonly parent?: string;
      readonly name: string;
      /** A type, or a text as `DefinedColumn` has it; ids inside are assigned anew. */
      readonly type: IcebergType | string;
      readonly doc?: string;
      /** Only with a default, or while the table has no snapshot. */
      readonly required?: boolean;
      /** v3: what rows have that are there already, in the specification's JSON form. New rows default to it too. */
      readonly default?: unknown;
      readonly position?: ColumnPosition;
    }
  | { readonly kind: "drop"; readonly column: string }
  | { readonly kind: "rename"; readonly column: string; readonly to: string }
  /** int → long, float → double, decimal to a higher precision; v3: date → timestamp. */
  | { readonly kind: "widen"; readonly column: string; readonly type: string }
  | { readonly kind: "make-optional"; readonly column: string }
  | { readonly kind: "describe"; readonly column: string; readonly doc: string }
  | { readonly kind: "move"; readonly column: string; readonly position: ColumnPosition };

/** Among the fields of the same struct, by their own names. */
export type ColumnPosition = "first" | { readonly after: string } | { readonly before: string };

export interface EvolvedSchema {
  readonly schema: UnnumberedSchema;
  readonly lastColumnId: number;
}

/**
 * The current schema after all changes, in their order (specification, "Schema Evolution"). No I/O.
 * @throws LakeError `invalid` naming the column and the rule that a change breaks
 */
export function evolveSchema(metadata: TableMetadata, changes: readonly SchemaChange[]): EvolvedSchema {
  let evolved: Evolution = { schema: currentSchema(metadata), lastColumnId: metadata["last-column-id"] };
  for (const change of changes) evolved = applyChange(metadata, evolved, change);
  validateSchema(evolved.schema, metadata["format-version"]);
  const { "schema-id": _, ...schema } = evolved.schema;
  return { schema, lastColumnId: evolved.lastColumnId };
}

interface Evolution {
  readonly schema: Schema;
  readonly lastColumnId: number;
}

function applyChange(metadata: TableMetadata, evolution: Evolution, change: SchemaChange): Evolution {
  if (change.kind === "add") return addColumn(metadata, evolution, change);
  const place = placeOf(evolution.schema, change.column);
  refuseMapKeys(evolution.schema, place);
  const update = (edit: (field: StructField) => StructField): Evolution => ({
    ...evolution,
    schema: withField(evolution.schema, place.field.id, edit),
  });
  switch (change.kind) {
    case "drop":
      return { ...evolution, schema: dropColumn(metadata, evolution.schema, place) };
    case "rename":
      return { ...evolution, schema: renameColumn(evolution.schema, place, change.to) };
    case "widen":
      return update((field) => ({ ...field, type: widened(metadata, place, change.type) }));
    case "make-optional":
      if (evolution.schema["identifier-field-ids"]?.includes(place.field.id) === true) {
        throw refused(place.path, "names rows together with the other identifier columns and must stay required");
      }
      return update((field) => ({ ...field, required: false }));
    case "describe":
      return update((field) => ({ ...field, doc: change.doc }));
    case "move":
      return { ...evolution, schema: moveColumn(evolution.schema, place, change.position) };
  }
}

function placeOf(schema: Schema, path: string): FieldPlace {
  const place = allFields(schema).find((candidate) => candidate.path === path);
  if (place === undefined) throw refused(path, "is no column of the table");
  return place;
}

function refuseMapKeys(schema: Schema, place: FieldPlace): void {
  const keys = allFields(schema).flatMap(({ field }) =>
    isNested(field.type) && field.type.type === "map" ? [field.type["key-id"]] : [],
  );
  const inside = [...place.parents, place.field.id].some((id) => keys.includes(id));
  if (inside) throw refused(place.path, "is a map's key, which cannot change");
}

function addColumn(
  metadata: TableMetadata,
  { schema, lastColumnId }: Evolution,
  change: Extract<SchemaChange, { kind: "add" }>,
): Evolution {
  const { name, parent, position, doc, required = false } = change;
  const path = parent === undefined ? name : `${parent}.${name}`;
  if (name.trim() === "") throw refused(path, "needs a name");
  const hasDefault = (change.default ?? null) !== null;
  if (hasDefault && metadata["format-version"] < 3) throw refused(path, "can have a default from format version 3 on");
  if (required && !hasDefault && metadata.snapshots.length > 0) {
    throw refused(path, "must be optional: the rows that are there have no value in it");
  }
  const id = lastColumnId + 1;
  const { type, lastId } = newFieldType(change.type, path, id);
  const defaults = hasDefault ? { "initial-default": change.default, "write-default": change.default } : {};
  const field: StructField = { id, name, required, type, ...(doc === undefined ? {} : { doc }), ...defaults };
  const add = (fields: readonly StructField[]): StructField[] => {
    requireFree(fields, name, path);
    return placed([...fields, field], field, position, path);
  };
  if (parent === undefined) return { schema: { ...schema, fields: add(schema.fields) }, lastColumnId: lastId };
  const struct = structBelow(schema, parent);
  return { schema: withStruct(schema, struct.id, add), lastColumnId: lastId };
}

/** The struct that a path names; of a list its element, of a map its value. */
function structBelow(schema: Schema, path: string): { id: number } {
  const place = placeOf(schema, path);
  refuseMapKeys(schema, place);
  const { type, id } = place.field;
  if (isNested(type) && type.type === "struct") return { id };
  if (isNested(type) && type.type === "list") return structBelow(schema, `${path}.element`);
  if (isNested(type)) return structBelow(schema, `${path}.value`);
  throw refused(path, "is no struct, so nothing can be added to it");
}

function requireFree(fields: readonly StructField[], name: string, path: string): void {
  const twin = fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (twin === undefined) return;
  const rule = twin.name === name ? "is there already" : `differs from ${twin.name} by case only`;
  throw refused(path, `${rule}, and readers could not tell them apart`);
}

function dropColumn(metadata: TableMetadata, schema: Schema, place: FieldPlace): Schema {
  const gone = new Set(
    allFields(schema)
      .filter(({ field, parents }) => field.id === place.field.id || parents.includes(place.field.id))
      .map(({ field }) => field.id),
  );
  const { id } = place.field;
  if (schema["identifier-field-ids"]?.some((identifier) => gone.has(identifier)) === true) {
    throw refused(place.path, "names rows and cannot be dropped");
  }
  const partition = defaultSpec(metadata).fields.find(
    (field) => gone.has(field["source-id"]) && field.transform !== "void",
  );
  if (partition !== undefined) {
    throw refused(place.path, `is what the table is partitioned by (${partition.name}); change the partitioning first`);
  }
  if (defaultSortOrder(metadata).fields.some((field) => gone.has(field["source-id"]))) {
    throw refused(place.path, "is what the table is sorted by; replace the sort order first");
  }
  return withSiblings(schema, place, (fields) => {
    if (fields.length === 1) throw refused(place.path, "is the only field there, which cannot be dropped");
    return fields.filter((field) => field.id !== id);
  });
}

function renameColumn(schema: Schema, place: FieldPlace, to: string): Schema {
  if (to.trim() === "") throw refused(place.path, "needs a name");
  return withSiblings(schema, place, (fields) => {
    const others = fields.filter((field) => field.id !== place.field.id);
    requireFree(others, to, to);
    return fields.map((field) => (field.id === place.field.id ? { ...field, name: to } : field));
  });
}

function moveColumn(schema: Schema, place: FieldPlace, position: ColumnPosition): Schema {
  return withSiblings(schema, place, (fields) => {
    const field = fields.find((candidate) => candidate.id === place.field.id)!;
    return placed(fields, field, position, place.path);
  });
}

function placed(
  fields: readonly StructField[],
  field: StructField,
  position: ColumnPosition | undefined,
  path: string,
): StructField[] {
  if (position === undefined) return [...fields];
  const others = fields.filter((candidate) => candidate !== field);
  if (position === "first") return [field, ...others];
  const beside = "after" in position ? position.after : position.before;
  const at = others.findIndex((candidate) => candidate.name === beside);
  if (at === -1) throw refused(path, `cannot stand beside ${beside}, which is not in the same struct`);
  return others.toSpliced("after" in position ? at + 1 : at, 0, field);
}

/** Dates that partitions are made of would come to lie in other partitions. */
function widened(metadata: TableMetadata, place: FieldPlace, to: string): IcebergType {
  const from = place.field.type;
  if (isNested(from)) throw refused(place.path, `is a ${from.type}, and only simple types are widened`);
  const { type } = newFieldType(to, place.path, 0);
  if (isNested(type)) throw refused(place.path, `cannot become a ${type.type}`);
  if (type === from || isPromotion(from, type, metadata["format-version"])) {
    const partitioned = metadata["partition-specs"].some((spec) =>
      spec.fields.some((field) => field["source-id"] === place.field.id && field.transform !== "void"),
    );
    if (from !== "date" || type === from || !partitioned) return type;
    throw refused(place.path, `cannot become ${type}: the table is, or was, partitioned by it`);
  }
  throw refused(place.path, `cannot become ${type} from ${from}: not every value, or none, stays what it is`);
}

function isPromotion(from: string, to: string, formatVersion: number): boolean {
  if ((from === "int" && to === "long") || (from === "float" && to === "double")) return true;
  if (from === "date") return formatVersion >= 3 && (to === "timestamp" || to === "timestamp_ns");
  const [narrow, wide] = [decimalType(from as never), decimalType(to as never)];
  return narrow !== undefined && wide !== undefined && narrow.scale === wide.scale && wide.precision > narrow.precision;
}

/** The schema with the field list changed that `place` stands in. */
function withSiblings(
  schema: Schema,
  place: FieldPlace,
  edit: (fields: readonly StructField[]) => StructField[],
): Schema {
  const parent = place.parents.at(-1);
  if (parent === undefined) return { ...schema, fields: edit(schema.fields) };
  const around = allFields(schema).find(({ field }) => field.id === parent)!.field.type;
  if (!isNested(around) || around.type !== "struct") {
    throw refused(place.path, "is part of a list or map and has no name or place of its own");
  }
  return withStruct(schema, parent, edit);
}

function withStruct(schema: Schema, id: number, edit: (fields: readonly StructField[]) => StructField[]): Schema {
  return withField(schema, id, (field) => {
    const type = field.type as NestedType;
    return type.type === "struct" ? { ...field, type: { ...type, fields: edit(type.fields) } } : field;
  });
}

/** The schema with one field changed, at any depth; a list's element and a map's value are fields too. */
function withField(schema: Schema, id: number, edit: (field: StructField) => StructField): Schema {
  return { ...schema, fields: schema.fields.map((field) => editedField(field, id, edit)) };
}

function editedField(field: StructField, id: number, edit: (field: StructField) => StructField): StructField {
  if (field.id === id) return edit(field);
  return isNested(field.type) ? { ...field, type: editedType(field.type, id, edit) } : field;
}

function editedType(type: NestedType, id: number, edit: (field: StructField) => StructField): NestedType {
  const part = (partId: number, name: string, required: boolean, of: IcebergType): StructField =>
    editedField({ id: partId, name, required, type: of }, id, edit);
  switch (type.type) {
    case "struct":
      return { ...type, fields: type.fields.map((field) => editedField(field, id, edit)) };
    case "list": {
      const element = part(type["element-id"], "element", type["element-required"], type.element);
      return { ...type, element: element.type, "element-required": element.required };
    }
    case "map": {
      const value = part(type["value-id"], "value", type["value-required"], type.value);
      return { ...type, value: value.type, "value-required": value.required };
    }
  }
}

function refused(column: string, rule: string): LakeError {
  return new LakeError("invalid", `column ${column} ${rule}`, { context: { field: column, rule } });
}
