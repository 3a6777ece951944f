import {
  acceptedSubject,
  INPUT_IDENTITY_HEADER,
  INPUT_SEQUENCE_HEADER,
  otherEndsHeader,
  OTHERS_HEADER,
  parseOtherEnds,
  RECORDS_HEADER,
  refuseNewerColumnBatch,
} from "@firn/core";
import type { Log } from "@firn/stream";

/**
 * How far a shard is validated. It stands in the headers of the last accepted message of the shard, which is appended
 * together with everything that the run gave: there is no other place that could disagree.
 */
export interface ShardPosition {
  /** Last sequence of INTAKE that is validated; 0 for none. */
  readonly inputSequence: number;
  /** Identity of the INTAKE stream that the sequence belongs to; undefined before the first run. */
  readonly inputIdentity: string | undefined;
  /** Records received by the shard since the lake was made. */
  readonly records: number;
  /** Sequence of the accepted message itself, the expectation of the next append; 0 for none. */
  readonly outputSequence: number;
  /** Last accepted sequence of each of the dataset's other tables that ever had a row. */
  readonly others: ReadonlyMap<string, number>;
}

/**
 * The headers are of the version of the message that carries them.
 * @throws NewerFormat
 * @throws Error when the last accepted message carries no position: someone else writes to the stream
 */
export async function loadPosition(validated: Log, dataset: string, shard: number): Promise<ShardPosition> {
  const last = await validated.last(acceptedSubject(dataset, shard));
  if (last === undefined)
    return { inputSequence: 0, inputIdentity: undefined, records: 0, outputSequence: 0, others: new Map() };
  refuseNewerColumnBatch(last.data);
  const inputIdentity = last.headers[INPUT_IDENTITY_HEADER];
  const inputSequence = Number(last.headers[INPUT_SEQUENCE_HEADER]);
  const records = Number(last.headers[RECORDS_HEADER]);
  if (inputIdentity === undefined || !Number.isSafeInteger(inputSequence) || !Number.isSafeInteger(records)) {
    throw new Error(`message ${last.sequence} of ${last.subject} carries no position of the validator`);
  }
  const others = parseOtherEnds(last.headers[OTHERS_HEADER], last.sequence);
  return { inputSequence, inputIdentity, records, outputSequence: last.sequence, others };
}

export function positionHeaders(
  position: Pick<ShardPosition, "inputSequence" | "records" | "others">,
  identity: string,
  behind: ReadonlyMap<string, number>,
): Record<string, string> {
  return {
    ...otherEndsHeader(position.others, behind),
    [INPUT_SEQUENCE_HEADER]: String(position.inputSequence),
    [INPUT_IDENTITY_HEADER]: identity,
    [RECORDS_HEADER]: String(position.records),
  };
}
