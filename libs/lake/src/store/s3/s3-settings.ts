import type { LakeObserver } from "../../lake-observer.ts";

/** How an S3 server is reached. */
export interface S3Settings {
  /** `https://host:port`; absent for AWS. */
  readonly endpoint?: string;
  readonly region: string;
  /** `host/bucket/key` instead of `bucket.host/key`. Default: as soon as an endpoint is named. */
  readonly pathStyle?: boolean;
  /** Absent: what the catalog vends, else the SDK's chain (environment, files, container, instance). */
  readonly credentials?: S3Credentials;
  /** A request that is not answered, or a connection that says nothing, for so long has failed. Default 60 s. */
  readonly timeoutMs?: number;
  /** Tries of a request, back-off in between. Default 8. */
  readonly attemptsMax?: number;
  /** Checksum that goes with every write and is compared with what the server says. Default CRC32. */
  readonly checksum?: ChecksumAlgorithm;
  readonly observer?: Pick<LakeObserver, "s3Request">;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export type ChecksumAlgorithm = "CRC32" | "SHA256";

/**
 * Who may reach what: credentials that belong to the objects below a prefix, as a catalog vends them for a table.
 * Asked before every request, so it renews them in time.
 */
export interface S3CredentialSource {
  /** undefined: nothing is known for this location. */
  credentialsFor(location: string): Promise<VendedS3Access | undefined>;
}

export interface VendedS3Access {
  readonly credentials: S3Credentials;
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
}
