import { arrayAt, objectAt, optionalAt, stringAt, stringMapAt } from "../metadata/json-shape.ts";
import { normaliseLocation } from "../store/location.ts";
import type { S3CredentialSource, VendedS3Access } from "../store/s3/s3-settings.ts";
import type { TableIdentifier } from "./catalog.ts";

/** Credentials for the objects below a prefix (REST specification, StorageCredential). */
export interface StorageCredential {
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
}

/** Asks the catalog for a table's credentials again. */
export type RenewCredentials = (identifier: TableIdentifier) => Promise<readonly StorageCredential[]>;

/** So long before their end credentials are asked for again. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Where a catalog vends short ones: not before this part of their life is over. */
const RENEW_AT = 0.5;
/** While the catalog does not answer, the old ones are used, and it is asked again after this. */
const RETRY_MS = 5_000;

interface Vended {
  readonly identifier: TableIdentifier;
  readonly prefix: string;
  readonly access: VendedS3Access;
  /** Infinite where the catalog does not say. */
  readonly endsAtMs: number;
  renewAtMs: number;
}

/**
 * What a catalog vended, by the prefix that it is good for. Credentials are renewed before they end: at the table's
 * next load, or by asking for them when a file is needed first.
 */
export class VendedCredentials implements S3CredentialSource {
  readonly #byPrefix = new Map<string, Vended>();
  readonly #renewing = new Map<string, Promise<void>>();
  readonly #nowMs: () => number;
  #renew: RenewCredentials | undefined;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** Who is asked when credentials are about to end. */
  renewBy(renew: RenewCredentials): void {
    this.#renew = renew;
  }

  /** Takes what came with a table. Credentials without keys for S3 are for others. */
  take(identifier: TableIdentifier, credentials: readonly StorageCredential[]): void {
    for (const { prefix, config } of credentials) {
      const access = s3Access(config);
      if (access === undefined) continue;
      const nowMs = this.#nowMs();
      const endsAtMs = Number(config["s3.session-token-expires-at-ms"] ?? Number.POSITIVE_INFINITY);
      const renewAtMs = Math.max(endsAtMs - RENEW_BEFORE_MS, nowMs + (endsAtMs - nowMs) * RENEW_AT);
      const at = normaliseLocation(prefix);
      this.#byPrefix.set(at, { identifier, prefix: at, access, endsAtMs, renewAtMs });
    }
  }

  async credentialsFor(location: string): Promise<VendedS3Access | undefined> {
    const found = this.#find(location);
    if (found === undefined || this.#nowMs() < found.renewAtMs) return found?.access;
    try {
      await this.#renewed(found);
    } catch (error) {
      if (this.#nowMs() >= found.endsAtMs) throw error;
      found.renewAtMs = Math.min(this.#nowMs() + RETRY_MS, found.endsAtMs);
    }
    return this.#find(location)?.access;
  }

  /** The longest prefix counts: the location itself, then each folder above it. */
  #find(location: string): Vended | undefined {
    for (let at = location; ; at = at.slice(0, at.lastIndexOf("/"))) {
      const vended = this.#byPrefix.get(at);
      if (vended !== undefined || !at.includes("/")) return vended;
    }
  }

  /** One request for a prefix at a time. */
  #renewed(vended: Vended): Promise<void> {
    const running = this.#renewing.get(vended.prefix);
    if (running !== undefined) return running;
    const renewing = (async () => {
      if (this.#renew !== undefined) this.take(vended.identifier, await this.#renew(vended.identifier));
    })().finally(() => this.#renewing.delete(vended.prefix));
    this.#renewing.set(vended.prefix, renewing);
    return renewing;
  }
}

/**
 * The credentials of a LoadTableResult or LoadCredentialsResponse: `storage-credentials`, else the keys in `config`,
 * which are good for the table's own location.
 */
export function storageCredentialsOf(body: Readonly<Record<string, unknown>>, location?: string): StorageCredential[] {
  const listed = optionalAt(body["storage-credentials"], "storage-credentials", arrayAt) ?? [];
  const credentials = listed.map((one, index) => {
    const credential = objectAt(one, `storage-credentials[${index}]`);
    return {
      prefix: stringAt(credential["prefix"], "prefix"),
      config: optionalAt(credential["config"], "config", stringMapAt) ?? {},
    };
  });
  if (credentials.length > 0 || location === undefined) return credentials;
  return [{ prefix: location, config: optionalAt(body["config"], "config", stringMapAt) ?? {} }];
}

/** Keys as S3FileIO of Java and PyIceberg name them. */
function s3Access(config: Readonly<Record<string, string>>): VendedS3Access | undefined {
  const accessKeyId = config["s3.access-key-id"];
  const secretAccessKey = config["s3.secret-access-key"];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = config["s3.session-token"];
  const endpoint = config["s3.endpoint"];
  const region = config["client.region"] ?? config["s3.region"];
  const pathStyle = config["s3.path-style-access"];
  return {
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(pathStyle === undefined ? {} : { pathStyle: pathStyle === "true" }),
  };
}
