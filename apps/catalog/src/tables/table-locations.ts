import type { TableMetadata } from "@firn/lake";
import { checkLocation, checkLocations } from "../metadata/warehouse-rules.ts";

/** Checks every place that a new state of a table names, as far as the state before did not name it. */
export function checkTableLocations(root: string, after: TableMetadata, before?: TableMetadata): void {
  checkLocations(root, after, before);
  const known = new Set(before?.snapshots.map((snapshot) => snapshot["snapshot-id"]));
  for (const snapshot of after.snapshots) {
    const list = snapshot["manifest-list"];
    if (list === undefined || known.has(snapshot["snapshot-id"])) continue;
    checkLocation(root, list, "snapshot.manifest-list");
  }
  const files = [...after.statistics, ...after["partition-statistics"]];
  const earlier = [...(before?.statistics ?? []), ...(before?.["partition-statistics"] ?? [])];
  for (const file of files) {
    if (!earlier.includes(file)) checkLocation(root, file["statistics-path"], "statistics.statistics-path");
  }
}
