import { checksummedName, checksumOf, joinLocation, type Table } from "@firn/lake";

/**
 * Where a round's files wait for the writer: below raw's data. Catalogs that look after a table's folder take nothing
 * beside `data` and `metadata`, and keys that are vended for a table are good there.
 */
export function stagingLocation(raw: Table, name: string): string {
  return joinLocation(raw.metadata.location, "data", "staging", name);
}

/** The same for a list of files: of what such catalogs take, `.stats` alone is a name without a fixed content. */
export function stagedListLocation(raw: Table, name: string, list: Uint8Array): string {
  const named = checksummedName(`staging-${name}`, checksumOf(list), "stats");
  return joinLocation(raw.metadata.location, "metadata", named);
}
