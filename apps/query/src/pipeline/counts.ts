import type { DatasetCounts } from "@firn/client";
import { foreignReceivedProperty, parseCounts, receivedBeforeProperty, type CountName } from "@firn/core";
import type { DatasetReading } from "./pipeline-reading.ts";
import { holdsOthers, writtenThrough } from "./settling.ts";

/**
 * What became of the records of a dataset. Its tables of records count rows and tombstones, errors counts dead letters and their
 * repeats; what the validator received stands in its last messages.
 *
 * While more arrives, the streams are ahead of the tables. A settled answer then speaks of what is in the tables, so
 * that received is the sum of the rest; at rest the two must agree by themselves.
 */
export function datasetCounts(reading: DatasetReading, settled: boolean): DatasetCounts {
  const records = [reading.raw, ...reading.others].map((table) => parseCounts(table?.metadata.properties ?? {}));
  const recordsWith = (name: CountName): number => records.reduce((sum, counts) => sum + counts[name], 0);
  const errors = parseCounts(reading.errors?.metadata.properties ?? {});
  const counts = {
    stored: recordsWith("stored"),
    corrected: recordsWith("corrected"),
    duplicates: recordsWith("duplicates") + errors.duplicates,
    rejected: recordsWith("rejected") + errors.rejected,
    deleted: recordsWith("deleted"),
  };
  const sum = counts.stored + counts.corrected + counts.duplicates + counts.rejected + counts.deleted;
  const foreign = [reading.raw, ...reading.others].map((table) =>
    Number(table?.metadata.properties[foreignReceivedProperty] ?? 0),
  );
  const before = foreign.reduce(
    (total, count) => total + count,
    Number(reading.raw?.metadata.properties[receivedBeforeProperty] ?? 0),
  );
  const validated = reading.shards.reduce((total, shard) => total + shard.received, before);
  return { received: settled && isMoving(reading) ? sum : validated, ...counts };
}

/** True when the streams hold something that the tables do not. */
function isMoving(reading: DatasetReading): boolean {
  return reading.shards.some((shard) => {
    const { accepted, rejected, others } = writtenThrough(reading, shard);
    return shard.acceptedLast > accepted || shard.rejectedLast > rejected || !holdsOthers(others, shard.othersLast);
  });
}
