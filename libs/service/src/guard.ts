import { isIP } from "node:net";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "./logger.ts";
import { Problem } from "./problem.ts";
import { ConfigError, type Setting } from "./settings.ts";
import { TokenFile, type TokenEntry, type TokenScope } from "./token-file.ts";

/** Who may ask a service that guards its port. */
export const guardSettings = {
  tokensFile: {
    env: "FIRN_TOKENS_FILE",
    type: "path",
    help: "JSON file (several by comma) with hashed bearer tokens, their scopes and ends; with it every request needs one.",
  },
  allowUnguarded: {
    env: "FIRN_ALLOW_UNGUARDED",
    type: "boolean",
    default: false,
    help: "Binds an address that others reach although there are no tokens.",
  },
} as const satisfies Record<string, Setting>;

/** How a client of ingest and query says who it is. */
export const tokenSettings = {
  token: {
    env: "FIRN_TOKEN",
    type: "string",
    secret: true,
    help: "Bearer token that is sent to ingest and query, where they ask for one.",
  },
} as const satisfies Record<string, Setting>;

export interface GuardOptions {
  readonly tokensFile: string | undefined;
  readonly allowUnguarded: boolean;
  readonly host: string;
  readonly log: Logger;
}

/** Open to everybody: probes and scrapes have no token, and the description of an interface holds no data. */
const OPEN_PATHS = /^\/(health\/|metrics$|docs$|docs-json$)/;

declare module "fastify" {
  interface FastifyRequest {
    /** Whose token came with the request; absent where nothing is guarded. */
    token?: TokenEntry;
  }
}

/**
 * The tokens that requests are checked against; undefined on loopback without a file.
 * @throws ConfigError when the file is not right, or others could reach a service without tokens
 */
export function openGuard({ tokensFile, allowUnguarded, host, log }: GuardOptions): TokenFile | undefined {
  if (tokensFile !== undefined) {
    return new TokenFile(tokensFile, (error) => log.error("the file of tokens cannot be read any more", { error }));
  }
  if (isLoopback(host) || allowUnguarded) return undefined;
  const rule = `is needed to bind ${host} (or FIRN_ALLOW_UNGUARDED=true, where something else guards the port)`;
  throw new ConfigError([{ env: "FIRN_TOKENS_FILE", rule }]);
}

function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "localhost" || host === "::1";
}

/**
 * Asks every request for `Authorization: Bearer …` with one of the scopes that it needs, `admin` among them always.
 * Refusals are Problems 401 and 403 that say nothing of the tokens.
 */
export function guardRequests(
  fastify: FastifyInstance,
  tokens: TokenFile,
  scopesOf: (request: FastifyRequest) => readonly TokenScope[],
): void {
  fastify.addHook("onRequest", (request, _reply, done) => {
    const path = request.url.split("?", 1)[0] as string;
    if (OPEN_PATHS.test(path)) return done();
    const refuse = (problem: Problem): void => {
      // A body that nobody reads would hold its connection until the end of the service.
      request.raw.resume();
      done(problem);
    };
    const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
    const entry = token === undefined ? undefined : tokens.find(token, Date.now());
    if (entry === undefined) {
      const headers = { "www-authenticate": token === undefined ? "Bearer" : 'Bearer error="invalid_token"' };
      return refuse(new Problem(401, "unauthorized", "A valid bearer token is needed.", { headers }));
    }
    const needed = scopesOf(request);
    if (!entry.scopes.includes("admin") && !needed.some((scope) => entry.scopes.includes(scope))) {
      const headers = { "www-authenticate": 'Bearer error="insufficient_scope"' };
      return refuse(new Problem(403, "forbidden", `The token needs the scope ${needed.join(" or ")}.`, { headers }));
    }
    request.token = entry;
    done();
  });
}
