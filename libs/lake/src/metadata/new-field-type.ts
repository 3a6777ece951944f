import { typeAt } from "./parse-schema.ts";
import { isNested, type IcebergType } from "./schema.ts";
import { parseDefinedType } from "./table-definition.ts";

/**
 * The type of a field that joins a schema, its parts numbered anew after the field's own id, level by level as Java
 * does it.
 * @param type a type, or a text: `string`, `list<…>`, `map<…,…>`
 * @throws LakeError `invalid` naming `path`
 */
export function newFieldType(
  type: IcebergType | string,
  path: string,
  fieldId: number,
): { readonly type: IcebergType; readonly lastId: number } {
  let lastId = fieldId;
  const next = (): number => (lastId += 1);
  const parsed = typeof type === "string" ? parseDefinedType(type, path) : typeAt(type, path);
  const numbered = renumbered(parsed, next);
  return { type: numbered, lastId };
}

function renumbered(type: IcebergType, next: () => number): IcebergType {
  if (!isNested(type)) return type;
  switch (type.type) {
    case "struct": {
      const ids = type.fields.map(next);
      const fields = type.fields.map((field, at) => ({ ...field, id: ids[at]!, type: renumbered(field.type, next) }));
      return { ...type, fields };
    }
    case "list": {
      const elementId = next();
      return { ...type, "element-id": elementId, element: renumbered(type.element, next) };
    }
    case "map": {
      const [keyId, valueId] = [next(), next()];
      const key = renumbered(type.key, next);
      return { ...type, "key-id": keyId, key, "value-id": valueId, value: renumbered(type.value, next) };
    }
  }
}
