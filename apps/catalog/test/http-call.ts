import { parseLakeJson, stringifyLakeJson } from "@firn/lake";

export interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly body: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- whatever the server said
}

/** Method, path, body and headers. A text goes as it is, anything else as JSON. */
export type Call = [method: string, path: string, body?: unknown, headers?: Record<string, string>];

export async function callCatalog(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : stringifyLakeJson(body) }),
  });
  const text = await response.text();
  const parsed = text === "" ? undefined : parseLakeJson(text);
  return { status: response.status, etag: response.headers.get("etag"), body: parsed };
}
