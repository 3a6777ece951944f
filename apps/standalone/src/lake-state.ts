import { setTimeout as sleep } from "node:timers/promises";

import type { TableDefinition } from "@firn/core";
import type { Catalog } from "@firn/lake";
import { queryClient, type DatasetCounts, type PipelineStatus, type QueryClient } from "@firn/client";

const WAIT_MS = 5_000;
const RETRY_MS = 500;
const NO_COUNTS: DatasetCounts = { received: 0, stored: 0, corrected: 0, duplicates: 0, rejected: 0, deleted: 0 };

export function countsOf(state: PipelineStatus, dataset: string): DatasetCounts {
  return state.datasets[dataset] ?? NO_COUNTS;
}

/** Asks until the pipeline is settled, something is parked, or the limit has passed; undefined when it never answered. */
export async function waitSettled(
  { query, token }: { readonly query: string; readonly token: string | undefined },
  limitMs: number,
  signal: AbortSignal,
): Promise<PipelineStatus | undefined> {
  const client = queryClient(query, { retry: { attemptsMax: 3 }, token });
  const giveUpAt = Date.now() + limitMs;
  let last: PipelineStatus | undefined;
  while (!signal.aborted && Date.now() < giveUpAt) {
    const status = await askPipeline(client, signal);
    if (status === undefined) await sleep(RETRY_MS);
    else if (status.settled || status.parked.length > 0) return status;
    last = status ?? last;
  }
  return last;
}

/** Undefined while query does not answer, which may just be starting again. */
async function askPipeline(client: QueryClient, signal: AbortSignal): Promise<PipelineStatus | undefined> {
  try {
    return await client.pipeline({ waitMs: WAIT_MS, signal });
  } catch {
    return undefined;
  }
}

/** Rows of a table by its current snapshot: rows in data files less the rows that position deletes hide. */
export async function tableRows(catalog: Catalog, table: TableDefinition): Promise<number | undefined> {
  try {
    const { metadata } = await catalog.loadTable({ namespace: table.namespace.split("."), name: table.name });
    const current = metadata.snapshots.find((each) => each["snapshot-id"] === metadata["current-snapshot-id"]);
    const summary: Readonly<Record<string, string>> = current?.summary ?? {};
    return Number(summary["total-records"] ?? 0) - Number(summary["total-position-deletes"] ?? 0);
  } catch {
    return undefined;
  }
}
