import { acceptedSubject, type Dataset, parsePositions } from "@firn/core";
import type { Table } from "@firn/lake";
import type { Log } from "@firn/stream";

/** Messages that the validator has written and the writer has not brought into raw. */
export async function backlogOf(validated: Log, dataset: Dataset, raw: Table): Promise<number> {
  const positions = [...parsePositions(raw.metadata.properties, validated.stream).values()];
  const position = positions.length === 0 ? 0 : Math.min(...positions);
  return validated.pending([acceptedSubject(dataset.name, 0).replace(/\d+$/, "*")], position);
}
