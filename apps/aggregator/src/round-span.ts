import { type Dataset, type RollupLane, traceEntry } from "@firn/core";
import { snapshotById, type Table } from "@firn/lake";
import { noTracer, type Tracer, type TraceSpan } from "@firn/service";

/** What a round starts from, as far as its span names it. */
export interface RoundOrigin {
  readonly raw: Table;
  readonly published: ReadonlyMap<string, Table>;
  readonly base: bigint | undefined;
}

/** The span of a round follows from the commits that the round takes up: those of raw, or the last one of days. */
export function startRoundSpan(
  { dataset, lane, tracer = noTracer }: { dataset: Dataset; lane: RollupLane; tracer?: Tracer },
  { raw, published, base }: RoundOrigin,
): TraceSpan {
  const attributes = { "firn.dataset": dataset.name, "firn.lane": lane.name };
  const days = lane.days && published.get(lane.days.name);
  const commits = (): string[] => (days ? commitsAfter(days, undefined).slice(-1) : commitsAfter(raw, base));
  return tracer.startSpan("round", { origins: tracer.on ? commits() : [], attributes });
}

function commitsAfter({ metadata }: Table, after: bigint | undefined): string[] {
  const from = after === undefined ? 0 : (snapshotById(metadata, after)?.["sequence-number"] ?? 0);
  const commits = metadata.snapshots.filter((one) => (one["sequence-number"] ?? 0) > from);
  return commits.flatMap((one) => one.summary?.[traceEntry] ?? []);
}
