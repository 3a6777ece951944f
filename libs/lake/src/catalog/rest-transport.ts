import { LakeError } from "../lake-error.ts";
import { parseLakeJson, stringifyLakeJson } from "../metadata/json.ts";
import { errorOfFailure, errorOfStatus, type CallPurpose } from "./rest-error.ts";

export interface RestTransportOptions {
  readonly uri: string;
  /** Sent with every request; `Authorization` goes here too. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly fetch: typeof fetch;
}

export interface RestCall {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  /** Below the catalog's URI, beginning with `v1/`, already percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly purpose: CallPurpose;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses beside 2xx that are answers, not failures. */
  readonly accept?: readonly number[];
}

export interface RestAnswer {
  readonly status: number;
  readonly etag?: string;
  /** Parsed body; undefined when it was empty. */
  readonly body: unknown;
}

/** One HTTP request to a REST catalog, one attempt. Node's fetch keeps connections alive between calls. */
export async function callRest(options: RestTransportOptions, call: RestCall): Promise<RestAnswer> {
  const url = urlOf(options.uri, call);
  const description = { purpose: call.purpose, request: `${call.method} ${url}` };
  let status: number;
  let etag: string | null;
  let text: string;
  try {
    const response = await options.fetch(url, {
      method: call.method,
      headers: {
        accept: "application/json",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: stringifyLakeJson(call.body) }),
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    status = response.status;
    etag = response.headers.get("etag");
    text = await response.text();
  } catch (error) {
    throw errorOfFailure(error, description, options.timeoutMs);
  }
  const accepted = (status >= 200 && status < 300) || call.accept?.includes(status) === true;
  if (!accepted) throw errorOfStatus(status, text, description);
  return { status, ...(etag === null ? {} : { etag }), body: parsedBody(text, call, description.request) };
}

/** An unreadable answer to a change says nothing about the change: its outcome is unknown. */
function parsedBody(text: string, call: RestCall, request: string): unknown {
  if (text === "") return undefined;
  try {
    return parseLakeJson(text);
  } catch (cause) {
    const kind = call.purpose === "read" ? "corrupt" : "unknown_outcome";
    throw new LakeError(kind, `${request}: the answer is not JSON`, { cause, context: { request } });
  }
}

function urlOf(uri: string, call: RestCall): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(name, value);
  const search = query.size === 0 ? "" : `?${query.toString()}`;
  return `${uri.replace(/\/+$/, "")}/${call.path}${search}`;
}
