import { setTimeout as sleep } from "node:timers/promises";

/** Records of a dataset since the lake was made (`GET /api/pipeline`). */
export interface RecordCounts {
  readonly received: number;
  readonly stored: number;
  readonly corrected: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly deleted: number;
}

export interface PipelineState {
  readonly settled: boolean;
  readonly parked: readonly { readonly stage: string; readonly shard: number; readonly reason: string; readonly fix: string }[];
  readonly lag: Readonly<Record<string, number>>;
  readonly datasets: Readonly<Record<string, RecordCounts>>;
}

const WAIT_MS = 5_000;
const RETRY_MS = 500;
const NO_COUNTS: RecordCounts = { received: 0, stored: 0, corrected: 0, duplicates: 0, rejected: 0, deleted: 0 };

export function countsOf(state: PipelineState, dataset: string): RecordCounts {
  return state.datasets[dataset] ?? NO_COUNTS;
}

/** Asks until the pipeline is settled, something is parked, or the limit has passed; undefined when it never answered. */
export async function waitSettled(
  queryUrl: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<PipelineState | undefined> {
  const giveUpAt = Date.now() + limitMs;
  let last: PipelineState | undefined;
  while (!signal.aborted && Date.now() < giveUpAt) {
    last = (await askPipeline(queryUrl, signal)) ?? last;
    if (last !== undefined && (last.settled || last.parked.length > 0)) return last;
    if (last === undefined) await sleep(RETRY_MS);
  }
  return last;
}

async function askPipeline(queryUrl: string, signal: AbortSignal): Promise<PipelineState | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS + 10_000)]);
    const response = await fetch(`${queryUrl}/api/pipeline?wait_ms=${WAIT_MS}`, { signal: limit });
    if (response.ok) return (await response.json()) as PipelineState;
  } catch {
    // Query may just be starting again: the caller asks until its limit.
  }
  await sleep(RETRY_MS);
  return undefined;
}

/** Rows of a table by its current snapshot: rows in data files less the rows that position deletes hide. */
export async function tableRows(catalogUrl: string, namespace: string, table: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${catalogUrl}/v1/namespaces/${namespace}/tables/${table}`);
    if (!response.ok) return undefined;
    // Snapshot ids lose their last digits here; they are all cut the same way and only compared with each other.
    const { metadata } = (await response.json()) as {
      metadata: {
        "current-snapshot-id"?: number;
        snapshots?: { "snapshot-id": number; summary: Record<string, string> }[];
      };
    };
    const current = metadata.snapshots?.find((each) => each["snapshot-id"] === metadata["current-snapshot-id"]);
    if (current === undefined) return 0;
    return Number(current.summary["total-records"] ?? 0) - Number(current.summary["total-position-deletes"] ?? 0);
  } catch {
    return undefined;
  }
}
