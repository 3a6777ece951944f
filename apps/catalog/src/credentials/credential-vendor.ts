import { LakeError, normaliseLocation, type S3Credentials } from "@firn/lake";
import type { Located } from "../metadata/stored-metadata.ts";

/** What a client may do with the files of a table. */
export type FileAccess = "read" | "write";

/** Credentials for the objects below a prefix (REST specification, `StorageCredential`). */
export interface StorageCredential {
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
}

/**
 * Gives clients credentials for the files of one table. An empty answer means that they use their own.
 * Failures are LakeError `unavailable`, or `unauthorized` where the service that makes them refuses.
 */
export interface CredentialVendor {
  vend(table: Located, access: FileAccess): Promise<readonly StorageCredential[]>;
}

export const noCredentials: CredentialVendor = { vend: async () => [] };

/** How clients reach the S3 server. */
export interface S3Address {
  readonly region: string;
  readonly endpoint?: string;
  readonly pathStyle?: boolean;
}

/** The keys of the lake itself, for clients that may write: they reach the whole bucket and never end. */
export function staticCredentials(address: S3Address, keys: S3Credentials): CredentialVendor {
  return {
    async vend(table, access) {
      // The keys cannot be made to read only.
      if (access === "read") throw new LakeError("unauthorized", "static credentials are given to writers only");
      return prefixesOf(table).map((prefix) => ({ prefix, config: s3Config(address, keys) }));
    },
  };
}

/** Properties as S3FileIO of Java and PyIceberg read them. */
export function s3Config(address: S3Address, keys?: S3Credentials, expiresAtMs?: number): Record<string, string> {
  const pathStyle = address.pathStyle ?? address.endpoint !== undefined;
  return {
    "client.region": address.region,
    "s3.region": address.region,
    ...(address.endpoint === undefined ? {} : { "s3.endpoint": address.endpoint }),
    ...(pathStyle ? { "s3.path-style-access": "true" } : {}),
    ...(keys === undefined
      ? {}
      : { "s3.access-key-id": keys.accessKeyId, "s3.secret-access-key": keys.secretAccessKey }),
    ...(keys?.sessionToken === undefined ? {} : { "s3.session-token": keys.sessionToken }),
    ...(expiresAtMs === undefined ? {} : { "s3.session-token-expires-at-ms": String(expiresAtMs) }),
  };
}

/** The folders that hold a table's files: its location, and others that its properties name. */
export function prefixesOf(table: Located): string[] {
  const named = ["write.data.path", "write.metadata.path", "write.object-storage.path", "write.folder-storage.path"];
  const paths = named.flatMap((key) => (Object.hasOwn(table.properties, key) ? [table.properties[key] as string] : []));
  const all = [table.location, ...paths].map((path) => normaliseLocation(path));
  return [...new Set(all)].filter((path) => !all.some((other) => path.startsWith(`${other}/`)));
}
