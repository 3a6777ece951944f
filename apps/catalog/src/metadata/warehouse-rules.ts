import { isWithin, normaliseLocation, shapeError } from "@firn/lake";
import type { Located } from "./stored-metadata.ts";

/** Properties that say where files of a table or view are written. */
const LOCATION_PROPERTIES = [
  "write.data.path",
  "write.metadata.path",
  "write.object-storage.path",
  "write.folder-storage.path",
];

/** Some reader unfolds each of these: control characters, a backslash, the parts of a URI after the path. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\\?#]/u;
const PERCENT_ROUNDS_MAX = 5;

/**
 * Refuses what would put or find files outside of the warehouse, for us or for a reader that decodes percent signs,
 * folds Unicode or cuts a query off.
 * @throws LakeError `invalid` naming the field
 */
export function checkLocation(root: string, location: string, field: string): void {
  const normal = normaliseLocation(location);
  if (!isWithin(root, normal) || normal === root) {
    throw shapeError(field, `the location is outside the warehouse: ${location}`);
  }
  if (UNSAFE.test(normal.slice(root.length))) {
    throw shapeError(
      field,
      `the location holds a character that has a meaning of its own: ${JSON.stringify(location)}`,
    );
  }
  if (
    normal
      .slice(root.length + 1)
      .split("/")
      .some(climbs)
  ) {
    throw shapeError(field, `the location may leave the warehouse: ${JSON.stringify(location)}`);
  }
}

/** True for a name that is a dot or two, or several names, to whoever decodes or folds it. */
function climbs(name: string): boolean {
  let decoded = name;
  for (let round = 0; round < PERCENT_ROUNDS_MAX; round += 1) {
    const folded = decoded.normalize("NFKC");
    if (folded === "." || folded === ".." || /[/\\\u0000]/.test(folded)) return true;
    const next = percentDecoded(folded);
    if (next === folded) return false;
    decoded = next;
  }
  return true;
}

/** What does not decode stays as it is. */
function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
}

/** Checks the places that a new state of a table or view names, as far as they differ from the state before. */
export function checkLocations(root: string, after: Located, before?: Located): void {
  if (after.location !== before?.location) checkLocation(root, after.location, "location");
  for (const key of LOCATION_PROPERTIES) {
    const value = Object.hasOwn(after.properties, key) ? after.properties[key] : undefined;
    if (value !== undefined && value !== before?.properties[key]) checkLocation(root, value, `properties.${key}`);
  }
}
