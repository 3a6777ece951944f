import { LakeError } from "../lake-error.ts";
import { arrayAt, integerAt, listAt, objectAt, optionalAt, stringAt, under } from "./json-shape.ts";
import { parseLakeJson } from "./json.ts";

/** Table property with the mapping, as JSON. */
const NAME_MAPPING_PROPERTY = "schema.name-mapping.default";

const DEPTH_MAX = 100;

/**
 * Names that columns have in files without field ids, by level (specification, "Name Mapping Serialization"). List
 * elements stand under `element`, map keys and values under `key` and `value`.
 */
export interface MappedName {
  /** undefined: the names are known and mean no field. */
  readonly fieldId: number | undefined;
  readonly fields: NameMapping;
}

export type NameMapping = ReadonlyMap<string, MappedName>;

/**
 * The mapping of a table, undefined where it has none.
 * @throws LakeError `corrupt` when the property is not a mapping
 */
export function nameMapping(properties: Readonly<Record<string, string>>): NameMapping | undefined {
  const text = Object.hasOwn(properties, NAME_MAPPING_PROPERTY) ? properties[NAME_MAPPING_PROPERTY] : undefined;
  if (text === undefined) return undefined;
  try {
    return levelAt(parseLakeJson(text), NAME_MAPPING_PROPERTY, 0);
  } catch (error) {
    if (!(error instanceof LakeError) || error.kind !== "invalid") throw error;
    throw new LakeError("corrupt", `property ${NAME_MAPPING_PROPERTY}: ${error.message}`, {
      cause: error,
      context: error.context,
    });
  }
}

function levelAt(value: unknown, path: string, depth: number): NameMapping {
  const level = new Map<string, MappedName>();
  listAt(arrayAt(value, path), path, (item, at) => {
    const field = objectAt(item, at);
    const fieldId = optionalAt(field["field-id"], under(at, "field-id"), integerAt);
    const inner = depth < DEPTH_MAX ? field["fields"] : undefined;
    const fields = optionalAt(inner, under(at, "fields"), (list, below) => levelAt(list, below, depth + 1));
    for (const name of listAt(field["names"], under(at, "names"), stringAt)) {
      level.set(name, { fieldId, fields: fields ?? new Map() });
    }
  });
  return level;
}
