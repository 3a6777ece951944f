/**
 * The staged files of rounds that are still in the log: no table names them until their round is committed, and a
 * parked writer may let them wait for days.
 */
import { decodeRollupRound, NewerFormat, type RollupRound, rollupSubject, stagedFiles } from "@firn/core";
import { decodeDataFiles, isLakeError, type ObjectStore } from "@firn/lake";
import type { Log } from "@firn/stream";

/** @param lanes numbers of the dataset's lanes */
export async function filesOfWaitingRounds(
  log: Log,
  dataset: string,
  lanes: readonly number[],
  store: Pick<ObjectStore, "get">,
): Promise<string[]> {
  const names: string[] = [];
  for (const lane of lanes)
    for await (const round of waitingRounds(log, rollupSubject(dataset, lane)))
      for (const change of round.rollups) {
        names.push(...stagedFiles(change).map((file) => file.location));
        if (change.whole) names.push(...(await listedFiles(store, change.whole.location)));
      }
  return names;
}

async function* waitingRounds(log: Log, subject: string): AsyncGenerator<RollupRound> {
  const last = await log.last(subject);
  if (last === undefined) return;
  const ending = new AbortController();
  try {
    for await (const record of log.read({ subjects: [subject], afterSequence: 0, signal: ending.signal })) {
      const round = decoded(record.data);
      if (round !== undefined) yield round;
      if (record.sequence >= last.sequence) return;
    }
  } finally {
    ending.abort();
  }
}

/**
 * A message that is no round is left out when its turn comes, too.
 * @throws NewerFormat for a round of a newer release: the files that it names are not known to be orphans
 */
function decoded(data: Uint8Array): RollupRound | undefined {
  try {
    return decodeRollupRound(data);
  } catch (error) {
    if (error instanceof NewerFormat) throw error;
    return undefined;
  }
}

/** A round whose list is gone is left out when its turn comes: nobody needs its files. */
async function listedFiles(store: Pick<ObjectStore, "get">, location: string): Promise<string[]> {
  try {
    return decodeDataFiles(await store.get(location)).map((file) => file.filePath);
  } catch (error) {
    if (isLakeError(error, "not_found") || error instanceof SyntaxError) return [];
    throw error;
  }
}
