/** Requests to a running lake's services, each with a limit: what hangs fails. */
import type { Answer, DatasetCounts, PipelineStatus, Problem } from "@firn/client";
import type { Endpoints } from "../../bench/load/lake.mjs";

const requestLimitMs = 20_000;
const settleLimitMs = 90_000;

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export async function send(url: string, init: RequestInit = {}): Promise<HttpAnswer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(requestLimitMs) });
  return {
    status: response.status,
    contentType: response.headers.get("content-type") ?? "",
    text: await response.text(),
  };
}

/** Sends a body to ingest as it is. */
export function ingest(
  { ingest: url }: Endpoints,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  dataset = "health",
): Promise<HttpAnswer> {
  return send(`${url}/v1/ingest/${dataset}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** Every row of a question, page by page. */
export async function rowsOf<Row>(
  { query }: Endpoints,
  question: string,
  parameters: Record<string, string>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const search = new URLSearchParams({ ...parameters, ...(cursor === null ? {} : { cursor }) });
    const answer = await send(`${query}/api/${question}?${search}`);
    if (answer.status !== 200) throw new Error(`${question} answered ${answer.status}: ${answer.text}`);
    const body = JSON.parse(answer.text) as Answer<Row>;
    rows.push(...body.data);
    cursor = body.page.cursor;
  } while (cursor !== null);
  return rows;
}

/** Waits until everything acknowledged is in the tables; the counts of the health lake. */
export async function settledCounts({ query }: Endpoints): Promise<DatasetCounts> {
  const deadline = Date.now() + settleLimitMs;
  for (;;) {
    const answer = await send(`${query}/api/pipeline?wait_ms=5000`);
    const pipeline = JSON.parse(answer.text) as PipelineStatus;
    const counts = pipeline.datasets?.["health"];
    if (pipeline.settled && counts) return counts;
    if (Date.now() > deadline) throw new Error(`not settled in time: ${answer.text}`);
  }
}

export function problemOf({ text }: { readonly text: string }): Problem {
  return JSON.parse(text) as Problem;
}
