import { isWithin, normaliseLocation, shapeError } from "@firn/lake";
import type { Located } from "./stored-metadata.ts";

/** Properties that say where files of a table or view are written. */
const LOCATION_PROPERTIES = [
  "write.data.path",
  "write.metadata.path",
  "write.object-storage.path",
  "write.folder-storage.path",
];

/**
 * Refuses what would put or find files outside of the warehouse.
 * @throws LakeError `invalid` naming the field
 */
export function checkLocation(root: string, location: string, field: string): void {
  const inside = isWithin(root, normaliseLocation(location)) && normaliseLocation(location) !== root;
  if (!inside) throw shapeError(field, `the location is outside the warehouse: ${location}`);
}

/** Checks the places that a new state of a table or view names, as far as they differ from the state before. */
export function checkLocations(root: string, after: Located, before?: Located): void {
  if (after.location !== before?.location) checkLocation(root, after.location, "location");
  for (const key of LOCATION_PROPERTIES) {
    const value = Object.hasOwn(after.properties, key) ? after.properties[key] : undefined;
    if (value !== undefined && value !== before?.properties[key]) checkLocation(root, value, `properties.${key}`);
  }
}
