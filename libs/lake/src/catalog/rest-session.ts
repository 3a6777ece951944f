import { LakeError, isLakeError } from "../lake-error.ts";
import { arrayAt, objectAt, optionalAt, stringAt, stringMapAt } from "../metadata/json-shape.ts";
import type { CatalogConfig } from "./catalog.ts";
import { bearerTokens, type BearerTokens, type RestAuth } from "./rest-auth.ts";
import { callRest, type RestAnswer, type RestCall, type RestTransportOptions } from "./rest-transport.ts";

export interface RestSessionOptions {
  /** `http://127.0.0.1:8181`, without `/v1`. */
  readonly uri: string;
  /** Sent to `/v1/config`; chooses a warehouse where the catalog has several. */
  readonly warehouse?: string;
  /** Path after `/v1/`; the catalog's `/v1/config` may say another, and then its word counts. */
  readonly prefix?: string;
  /** Who asks. Default: nobody says. */
  readonly auth?: RestAuth;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks the catalog for credentials of each table's files. */
  readonly accessDelegation?: "vended-credentials";
  /** Limit for one call, its answer included. Default 30 s. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
  readonly nowMs?: () => number;
}

const TIMEOUT_MS = 30_000;
const DEFAULT_NAMESPACE_SEPARATOR = "%1F";
const HEADER_PROPERTY = "header.";
/** Answers that say: this token is no good. Nothing of the request was done. */
const TOKEN_REFUSED: ReadonlySet<unknown> = new Set([401, 419]);

/** What `/v1/config` settled: where requests go, and what the catalog can do. */
export interface RestSession {
  readonly config: CatalogConfig;
  /** Parts the levels of a namespace in paths, percent-encoded. */
  readonly separator: string;
  /** True when the catalog says nothing of its endpoints, or names this one (`GET /v1/{prefix}/namespaces`). */
  offers(endpoint: string): boolean;
  /** Paths are below the prefix. Once more with a new token when the old one was refused. */
  call(call: RestCall): Promise<RestAnswer>;
}

/** Asks `/v1/config`. Settings: the catalog's defaults, over them ours, over them the catalog's overrides. */
export async function openRestSession(options: RestSessionOptions): Promise<RestSession> {
  const { uri, auth = { kind: "none" }, timeoutMs = TIMEOUT_MS, fetch = globalThis.fetch } = options;
  const tokens = bearerTokens(auth, { uri, fetch, timeoutMs, nowMs: options.nowMs ?? Date.now });
  const transport: RestTransportOptions = { uri, headers: headersOf(options), timeoutMs, fetch };
  const config = await askConfig(transport, tokens, options.warehouse);
  const setting = (key: string, own?: string): string | undefined =>
    config.overrides[key] ?? own ?? config.defaults[key];
  const prefix = setting("prefix", options.prefix) ?? "";
  const base = prefix === "" ? "v1/" : `v1/${prefix.split("/").map(encodeURIComponent).join("/")}/`;
  const configured = {
    ...transport,
    uri: config.overrides["uri"] ?? uri,
    headers: { ...headerProperties(config.defaults), ...transport.headers, ...headerProperties(config.overrides) },
  };
  const endpoints = config.endpoints === undefined ? undefined : new Set(config.endpoints);
  return {
    config,
    separator: setting("namespace-separator") ?? DEFAULT_NAMESPACE_SEPARATOR,
    offers: (endpoint) => endpoints?.has(endpoint) ?? true,
    call: (call) => callWithToken(configured, tokens, { ...call, path: base + call.path }),
  };
}

function headersOf({ headers, accessDelegation }: RestSessionOptions): Record<string, string> {
  return {
    ...headers,
    ...(accessDelegation === undefined ? {} : { "x-iceberg-access-delegation": accessDelegation }),
  };
}

async function askConfig(
  transport: RestTransportOptions,
  tokens: BearerTokens,
  warehouse: string | undefined,
): Promise<CatalogConfig> {
  const call: RestCall = { method: "GET", path: "v1/config", query: { warehouse }, purpose: "read" };
  const body = objectAt((await callWithToken(transport, tokens, call)).body, "");
  const endpoints = optionalAt(body["endpoints"], "endpoints", arrayAt)?.map((one) => stringAt(one, "endpoints"));
  return {
    defaults: optionalAt(body["defaults"], "defaults", stringMapAt) ?? {},
    overrides: optionalAt(body["overrides"], "overrides", stringMapAt) ?? {},
    ...(endpoints === undefined || endpoints.length === 0 ? {} : { endpoints }),
  };
}

/** A failure to get a token is a failure before the request: nothing was done. */
async function callWithToken(
  transport: RestTransportOptions,
  tokens: BearerTokens,
  call: RestCall,
): Promise<RestAnswer> {
  const token = await tokens.current();
  try {
    return await callRest(withToken(transport, token), call);
  } catch (error) {
    if (!isLakeError(error, "unauthorized") || !TOKEN_REFUSED.has(error.context["status"])) throw error;
    const other = await tokens.renew(token);
    if (other === undefined || other === token) throw error;
    return callRest(withToken(transport, other), call);
  }
}

function withToken(transport: RestTransportOptions, token: string | undefined): RestTransportOptions {
  if (token === undefined) return transport;
  return { ...transport, headers: { ...transport.headers, authorization: `Bearer ${token}` } };
}

/** `header.X-Tenant` becomes the header X-Tenant, as in the clients of Java and Python. */
function headerProperties(properties: Readonly<Record<string, string>>): Record<string, string> {
  const found = Object.entries(properties).filter(([key]) => key.startsWith(HEADER_PROPERTY));
  return Object.fromEntries(found.map(([key, value]) => [key.slice(HEADER_PROPERTY.length).toLowerCase(), value]));
}

/** @throws LakeError `unsupported` when the catalog's list of endpoints lacks this one */
export function requireEndpoint(session: RestSession, endpoint: string): void {
  if (!session.offers(endpoint)) throw new LakeError("unsupported", `the catalog does not offer ${endpoint}`);
}
