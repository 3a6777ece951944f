import type { KafkaPosition } from "@firn/core";

/** The first offset that Kafka still has of a partition, and the one behind its last. */
export interface OffsetRange {
  readonly low: number;
  readonly high: number;
}

export type PartitionStart =
  /** Read from `seek`. `verify`: the first message is one that was taken already and must be the same. */
  { readonly kind: "go"; readonly seek: number; readonly verify: KafkaPosition["last"] } | PartitionProblem;

export interface PartitionProblem {
  readonly kind: "park";
  readonly reason: string;
  readonly fix: string;
  /** Where `--accept-loss` goes on. */
  readonly acceptLossNext: number;
}

/**
 * Whether the position fits what Kafka has. One that does not is never jumped over: Kafka would begin anywhere without
 * a word. A partition that was never read begins at the first message there is.
 *
 * @param position undefined: never read
 */
export function planPartitionStart(position: KafkaPosition | undefined, { low, high }: OffsetRange): PartitionStart {
  if (position === undefined) return { kind: "go", seek: low, verify: undefined };
  const { next, last } = position;
  if (next < low) {
    return park(`Kafka no longer has offset ${next}, which is the next: its first is ${low}`, low);
  }
  if (next > high) {
    return park(`offset ${next} is the next, but Kafka's messages end at ${high}: the topic was made anew`, low);
  }
  if (last !== undefined && last.offset >= low) return { kind: "go", seek: last.offset, verify: last };
  return { kind: "go", seek: next, verify: undefined };
}

/** The topic holds another message at an offset that was taken. */
export function anotherTopic(offset: number, low: number): PartitionProblem {
  return park(
    `Kafka has another message at offset ${offset} than the one that was taken: the topic was made anew`,
    low,
  );
}

function park(reason: string, acceptLossNext: number): PartitionProblem {
  const fix = "restore the topic, or go on with what it has: firn resume SHARD --accept-loss, or --from OFFSET";
  return { kind: "park", reason, fix, acceptLossNext };
}
