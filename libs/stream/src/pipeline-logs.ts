import { streams } from "@firn/core";
import type { LogSpec } from "./connection.ts";

/** Of the streams that a lake's services make when they are missing, whichever of them comes first. */
export interface PipelineLogOptions {
  /** Copies in the broker's cluster; only used when the stream is made. */
  readonly replicas: number;
}

/** What was accepted and not yet validated. The number of shards is part of the stream for good. */
export function intakeLog(options: PipelineLogOptions & { readonly shards: number }): LogSpec {
  return {
    stream: streams.intake,
    subjects: ["intake.>"],
    metadata: { "firn.shards": String(options.shards) },
    replicas: options.replicas,
  };
}

/** Accepted rows and dead letters in one stream, so that one append can hold both. */
export function validatedLog({ replicas }: PipelineLogOptions): LogSpec {
  return { stream: streams.validated, subjects: ["accepted.>", "rejected.>"], replicas };
}

/** Rounds of the aggregator. */
export function rollupLog({ replicas }: PipelineLogOptions): LogSpec {
  return { stream: streams.rollup, subjects: ["rollup.>"], replicas };
}

/** Bucket in which the stages keep what outlives them: attempts, what is parked, an operator's orders. */
export const STATE_BUCKET = "firn";
