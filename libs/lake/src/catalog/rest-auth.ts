import { isLakeError, LakeError } from "../lake-error.ts";
import { objectAt, optionalAt, stringAt } from "../metadata/json-shape.ts";
import { parseLakeJson } from "../metadata/json.ts";
import { errorOfFailure } from "./rest-error.ts";

/** How a catalog knows who asks: nobody is asked, a token that stays, or OAuth2 client credentials. */
export type RestAuth =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | {
      readonly kind: "client-credentials";
      readonly clientId: string;
      readonly clientSecret: string;
      /** Default `catalog`, as the REST specification has it. */
      readonly scope?: string;
      /** Asks for tokens of this audience, where the server wants one named. */
      readonly audience?: string;
      /** Where tokens are issued. Default: `<catalog>/v1/oauth/tokens`. */
      readonly tokenUri?: string;
    };

/** Says the bearer token of a request; undefined when there is none. */
export interface BearerTokens {
  current(): Promise<string | undefined>;
  /** After `refused` was answered with 401 or 419: another token, or undefined when there is no other. */
  renew(refused: string | undefined): Promise<string | undefined>;
}

export interface TokenEnvironment {
  /** Of the catalog, without `/v1`. */
  readonly uri: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
}

/** Part of a token's life after which it is renewed; the rest is for servers that do not answer at once. */
const RENEW_AT = 0.75;
const DEFAULT_SCOPE = "catalog";

export function bearerTokens(auth: RestAuth, env: TokenEnvironment): BearerTokens {
  switch (auth.kind) {
    case "none":
      return { current: async () => undefined, renew: async () => undefined };
    case "token":
      return { current: async () => auth.token, renew: async () => undefined };
    case "client-credentials":
      return clientCredentialTokens(() => issueToken(auth, env), env.nowMs);
  }
}

interface IssuedToken {
  readonly token: string;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

/** One request for a token at a time. While a new one cannot be had, the old one is used as long as it lives. */
function clientCredentialTokens(issue: () => Promise<IssuedToken>, nowMs: () => number): BearerTokens {
  let held: IssuedToken | undefined;
  let issuing: Promise<IssuedToken> | undefined;
  const renewed = (): Promise<IssuedToken> => {
    issuing ??= issue()
      .then((issued) => (held = issued))
      .finally(() => (issuing = undefined));
    return issuing;
  };
  return {
    async current() {
      if (held !== undefined && nowMs() < held.renewAtMs) return held.token;
      try {
        return (await renewed()).token;
      } catch (error) {
        if (held === undefined || nowMs() >= held.endsAtMs || isLakeError(error, "unauthorized")) throw error;
        return held.token;
      }
    },
    async renew(refused) {
      if (held !== undefined && held.token !== refused) return held.token;
      return (await renewed()).token;
    },
  };
}

/** RFC 6749, section 4.4, in the body, as Iceberg's REST specification asks for it (`/v1/oauth/tokens`). */
async function issueToken(
  auth: Extract<RestAuth, { kind: "client-credentials" }>,
  { uri, fetch, timeoutMs, nowMs }: TokenEnvironment,
): Promise<IssuedToken> {
  const url = auth.tokenUri ?? `${uri.replace(/\/+$/, "")}/v1/oauth/tokens`;
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: auth.clientId,
    client_secret: auth.clientSecret,
    scope: auth.scope ?? DEFAULT_SCOPE,
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
  });
  const call = { purpose: "read", request: `POST ${url}` } as const;
  const askedMs = nowMs();
  let status: number;
  let text: string;
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { accept: "application/json" },
      body: form,
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = answer.status;
    text = await answer.text();
  } catch (error) {
    throw errorOfFailure(error, call, timeoutMs);
  }
  if (status >= 300) throw refusal(status, text, call.request);
  return issuedToken(text, askedMs, call.request);
}

function issuedToken(text: string, askedMs: number, request: string): IssuedToken {
  try {
    const body = objectAt(parseLakeJson(text), "");
    const token = stringAt(body["access_token"], "access_token");
    const lifeMs = Number(body["expires_in"] ?? Number.POSITIVE_INFINITY) * 1000;
    return { token, renewAtMs: askedMs + lifeMs * RENEW_AT, endsAtMs: askedMs + lifeMs };
  } catch (cause) {
    // The text may hold a token: it is not repeated.
    throw new LakeError("corrupt", `${request}: the answer is no token response`, { cause, context: { request } });
  }
}

/** RFC 6749, section 5.2: `error` and `error_description`. */
function refusal(status: number, text: string, request: string): LakeError {
  let said: string | undefined;
  try {
    const body = objectAt(parseLakeJson(text), "");
    said = optionalAt(body["error_description"], "", stringAt) ?? optionalAt(body["error"], "", stringAt);
  } catch {
    said = undefined;
  }
  const kind = status >= 500 || status === 429 ? "unavailable" : "unauthorized";
  return new LakeError(kind, `${request} was answered with status ${status}${said === undefined ? "" : `: ${said}`}`, {
    context: { status, request },
  });
}
