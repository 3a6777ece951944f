import { gzip } from "node:zlib";
import { promisify } from "node:util";
import type { Receipt } from "./contract/answer.ts";
import { httpSender, parseJsonBody, type HttpOptions } from "./http.ts";

export interface IngestClientOptions extends HttpOptions {
  /** Bodies of at least this many bytes are sent gzipped; Infinity = never. */
  readonly gzipFromBytes?: number;
}

export interface SendOptions {
  readonly signal?: AbortSignal;
}

/**
 * Sends payloads to the ingest service. A call resolves when the broker has the whole request on disk; a request is
 * accepted whole or not at all. Sending again after a failure is safe: what comes twice is a counted duplicate.
 */
export interface IngestClient {
  /** One request with these payloads (any JSON values), as a JSON array. */
  send(dataset: string, payloads: readonly unknown[], options?: SendOptions): Promise<Receipt>;
  /** One request with NDJSON as it is: one payload a line. */
  sendLines(dataset: string, lines: Uint8Array | string, options?: SendOptions): Promise<Receipt>;
  /** One request with a JSON body as it is: one payload or an array. */
  sendJson(dataset: string, json: Uint8Array | string, options?: SendOptions): Promise<Receipt>;
}

const gzipAsync = promisify(gzip);

/** @param url the address of the ingest service, `http://127.0.0.1:4100` */
export function ingestClient(url: string, options: IngestClientOptions = {}): IngestClient {
  const send = httpSender(options);
  const gzipFromBytes = options.gzipFromBytes ?? Infinity;

  async function post(dataset: string, type: string, content: Uint8Array | string, signal?: AbortSignal) {
    const address = new URL(`/v1/ingest/${encodeURIComponent(dataset)}`, url).href;
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const packed = bytes.byteLength >= gzipFromBytes;
    const answer = await send({
      method: "POST",
      url: address,
      headers: { "content-type": type, ...(packed ? { "content-encoding": "gzip" } : {}) },
      body: packed ? await gzipAsync(bytes, { level: 1 }) : bytes,
      signal,
    });
    return parseJsonBody<Receipt>(answer, address);
  }

  return {
    send: (dataset, payloads, call) => post(dataset, "application/json", JSON.stringify(payloads), call?.signal),
    sendLines: (dataset, lines, call) => post(dataset, "application/x-ndjson", lines, call?.signal),
    sendJson: (dataset, json, call) => post(dataset, "application/json", json, call?.signal),
  };
}
