import type { DatasetCounts } from "@firn/client";
import { parseCounts, receivedBeforeProperty } from "@firn/core";
import type { DatasetReading } from "./pipeline-reading.ts";
import { writtenThrough } from "./settling.ts";

/**
 * What became of the records of a dataset. Raw counts samples and tombstones, errors counts dead letters and their
 * repeats; what the validator received stands in its last messages.
 *
 * While more arrives, the streams are ahead of the tables. A settled answer then speaks of what is in the tables, so
 * that received is the sum of the rest; at rest the two must agree by themselves.
 */
export function datasetCounts(reading: DatasetReading, settled: boolean): DatasetCounts {
  const raw = parseCounts(reading.raw?.metadata.properties ?? {});
  const errors = parseCounts(reading.errors?.metadata.properties ?? {});
  const counts = {
    stored: raw.stored,
    corrected: raw.corrected,
    duplicates: raw.duplicates + errors.duplicates,
    rejected: raw.rejected + errors.rejected,
    deleted: raw.deleted,
  };
  const sum = counts.stored + counts.corrected + counts.duplicates + counts.rejected + counts.deleted;
  const before = Number(reading.raw?.metadata.properties[receivedBeforeProperty] ?? 0);
  const validated = reading.shards.reduce((total, shard) => total + shard.received, before);
  return { received: settled && isMoving(reading) ? sum : validated, ...counts };
}

/** True when the streams hold something that the tables do not. */
function isMoving(reading: DatasetReading): boolean {
  return reading.shards.some((shard) => {
    const { accepted, rejected } = writtenThrough(reading, shard);
    return shard.acceptedLast > accepted || shard.rejectedLast > rejected;
  });
}
