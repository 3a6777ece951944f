import { acceptedSubject, type Dataset, parsePositions } from "@firn/core";
import type { Table } from "@firn/lake";
import type { Log } from "@firn/stream";

/** Less than this is what always waits for the writer's next commit under a live load. */
export const backlogBytesMin = 8 * 1024 * 1024;

/**
 * Bytes, about, that the validator has written and the writer has not brought into raw: messages of the dataset by the
 * stream's mean size of a message. What the writer has brought in leaves the stream, so a short stream says 0 at once.
 */
export async function backlogOf(validated: Log, dataset: Dataset, raw: Table): Promise<number> {
  const { bytes, firstSequence, lastSequence } = await validated.bounds();
  if (bytes < backlogBytesMin) return 0;
  const positions = [...parsePositions(raw.metadata.properties, validated.stream).values()];
  const position = positions.length === 0 ? 0 : Math.min(...positions);
  const messages = await validated.pending([acceptedSubject(dataset.name, 0).replace(/\d+$/, "*")], position);
  return (messages * bytes) / Math.max(1, lastSequence - firstSequence + 1);
}
