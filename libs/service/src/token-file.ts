import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "./settings.ts";

/**
 * What a token allows. `admin` stands for all of them; `catalog_read` is the part of `catalog` that changes nothing.
 */
export const TOKEN_SCOPES = ["ingest", "query", "catalog", "catalog_read", "admin"] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** A token as the file has it: never itself, only its hash. */
export interface TokenEntry {
  /** For logs. */
  readonly name: string;
  /** SHA-256 of the token's UTF-8 bytes, lower-case hex. */
  readonly sha256: string;
  readonly scopes: readonly TokenScope[];
  /** Milliseconds since 1970; infinite for a token without an end. */
  readonly expiresMs: number;
}

const FILE_VERSION = 1;
const LOOK_EVERY_MS = 2_000;

/**
 * The tokens of FIRN_TOKENS_FILE, one file or several by comma:
 * `{"version": 1, "tokens": [{"name", "sha256", "scopes": ["catalog"], "expires": "2027-01-01T00:00:00Z"}]}`.
 * A change of the file counts within two seconds. A file that cannot be read any more changes nothing: the tokens that
 * were read last stay good until they expire, and `onProblem` hears of it.
 */
export class TokenFile {
  readonly #paths: readonly string[];
  readonly #onProblem: (error: Error) => void;
  #tokens: ReadonlyMap<string, TokenEntry>;
  #stamp: string;
  #lookedMs = 0;

  /** @throws ConfigError when the file is not there or not right */
  constructor(path: string, onProblem: (error: Error) => void = () => {}) {
    this.#paths = path.split(",").map((each) => each.trim());
    this.#onProblem = onProblem;
    this.#stamp = stampOf(this.#paths);
    this.#tokens = readTokens(this.#paths);
  }

  /** The token's entry, if it is in the file and has not expired. */
  find(token: string, nowMs: number): TokenEntry | undefined {
    this.#refresh(nowMs);
    const entry = this.#tokens.get(hashOf(token));
    return entry !== undefined && nowMs < entry.expiresMs ? entry : undefined;
  }

  #refresh(nowMs: number): void {
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = nowMs;
    try {
      const stamp = stampOf(this.#paths);
      if (stamp === this.#stamp) return;
      this.#tokens = readTokens(this.#paths);
      this.#stamp = stamp;
    } catch (error) {
      this.#onProblem(error as Error);
    }
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

/** Kubernetes swaps a link for a mounted secret: the inode changes even where size and time do not. */
function stampOf(paths: readonly string[]): string {
  try {
    return paths
      .map((path) => statSync(path))
      .map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`)
      .join();
  } catch (error) {
    throw broken(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown"}`);
  }
}

function readTokens(paths: readonly string[]): ReadonlyMap<string, TokenEntry> {
  const entries = paths.flatMap(readEntries);
  const byHash = new Map(entries.map((entry) => [entry.sha256, entry]));
  if (byHash.size !== entries.length) throw broken("tokens: one stands there twice");
  return byHash;
}

function readEntries(path: string): readonly TokenEntry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw broken(code === undefined ? "is not JSON" : `cannot be read: ${code}`);
  }
  const { version, tokens } = (parsed ?? {}) as { version?: unknown; tokens?: unknown };
  if (version !== FILE_VERSION) throw broken(`version: must be ${FILE_VERSION}`);
  if (!Array.isArray(tokens)) throw broken("tokens: must be an array");
  return tokens.map((token, index) => entryAt(token, `tokens[${index}]`));
}

function entryAt(value: unknown, path: string): TokenEntry {
  if (typeof value !== "object" || value === null) throw broken(`${path}: must be an object`);
  const { name, sha256, scopes, expires, ...unknown } = value as Record<string, unknown>;
  const [extra] = Object.keys(unknown);
  if (extra !== undefined) throw broken(`${path}.${extra}: is not known`);
  if (typeof name !== "string" || name === "") throw broken(`${path}.name: must be a text`);
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw broken(`${path}.sha256: must be 64 lower-case hexadecimal digits`);
  }
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
    throw broken(`${path}.scopes: must be some of ${TOKEN_SCOPES.join(", ")}`);
  }
  return { name, sha256, scopes, expiresMs: expiryAt(expires, `${path}.expires`) };
}

function isScope(value: unknown): value is TokenScope {
  return TOKEN_SCOPES.includes(value as TokenScope);
}

function expiryAt(value: unknown, path: string): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  const ms = typeof value === "string" && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) throw broken(`${path}: must be an instant such as 2027-01-01T00:00:00Z`);
  return ms;
}

function broken(rule: string): ConfigError {
  return new ConfigError([{ env: "FIRN_TOKENS_FILE", rule }]);
}
