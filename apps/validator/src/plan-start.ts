import type { LogBounds } from "@firn/stream";

import type { ShardPosition } from "./shard-position.ts";

export interface StartProblem {
  readonly kind: "park";
  readonly reason: string;
  readonly fix: string;
  /** Where `--accept-loss` goes on: everything that the stream still has and that was not validated. */
  readonly acceptLossAfter: number;
}

/** Whether the position fits the INTAKE stream that is there. One that does not is never skipped over. */
export function planStart(
  position: ShardPosition,
  identity: string,
  bounds: LogBounds,
): { readonly kind: "go" } | StartProblem {
  const { inputIdentity, inputSequence } = position;
  if (inputIdentity !== undefined && inputIdentity !== identity) {
    return {
      kind: "park",
      reason: `stream INTAKE was made anew: the position belongs to ${inputIdentity}, the stream is ${identity}`,
      fix: "restore the stream, or go on with what the new one holds: firn resume SHARD --accept-loss",
      acceptLossAfter: 0,
    };
  }
  if (inputSequence > bounds.lastSequence) {
    return {
      kind: "park",
      reason: `position ${inputSequence} is ahead of stream INTAKE, which ends at ${bounds.lastSequence}`,
      fix: "restore the stream, or go on with: firn resume SHARD --from N or --accept-loss",
      acceptLossAfter: bounds.lastSequence,
    };
  }
  return { kind: "go" };
}
