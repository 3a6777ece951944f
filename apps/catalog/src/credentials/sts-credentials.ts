import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { LakeError, type S3Credentials } from "@firn/lake";
import type { Located } from "../metadata/stored-metadata.ts";
import {
  prefixesOf,
  s3Config,
  type CredentialVendor,
  type FileAccess,
  type S3Address,
  type StorageCredential,
} from "./credential-vendor.ts";
import { sessionPolicy } from "./session-policy.ts";

/** Sessions that are kept for the next client of the same table. */
const SESSIONS_MAX = 2_000;
/** A client gets one with at least this part of its life before it. */
const LIFE_LEFT_MIN = 0.5;
const REQUEST_MS_MAX = 10_000;

export interface StsOptions {
  readonly address: S3Address;
  /** The STS server, where it is not AWS's own. */
  readonly endpoint: string | undefined;
  readonly roleArn: string;
  readonly durationSeconds: number;
  /** Absent: the SDK's chain. */
  readonly credentials: S3Credentials | undefined;
  readonly nowMs: () => number;
}

interface Session {
  readonly prefixes: readonly string[];
  readonly config: Readonly<Record<string, string>>;
  readonly renewAtMs: number;
}

/** Short-lived credentials of a role, narrowed to the folders of one table. */
export function stsCredentials(options: StsOptions): CredentialVendor & { close(): void } {
  const { address, endpoint, credentials } = options;
  const client = new STSClient({
    region: address.region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: { requestTimeout: REQUEST_MS_MAX },
  });
  const sessions = new Map<string, Promise<Session>>();
  const session = async (prefixes: readonly string[], access: FileAccess): Promise<Session> => {
    const key = JSON.stringify([access, ...prefixes]);
    const kept = sessions.get(key);
    if (kept !== undefined && options.nowMs() < (await kept).renewAtMs) return kept;
    const asked = assumeRole(client, options, prefixes, access);
    sessions.set(key, asked);
    asked.catch(() => sessions.get(key) === asked && sessions.delete(key));
    // The oldest goes first: a Map keeps the order of insertion.
    for (const oldest of sessions.keys()) {
      if (sessions.size <= SESSIONS_MAX) break;
      sessions.delete(oldest);
    }
    return asked;
  };
  return {
    async vend(table: Located, access: FileAccess): Promise<StorageCredential[]> {
      const { prefixes, config } = await session(prefixesOf(table), access);
      return prefixes.map((prefix) => ({ prefix, config }));
    },
    close: () => client.destroy(),
  };
}

async function assumeRole(
  client: STSClient,
  { address, roleArn, durationSeconds, nowMs }: StsOptions,
  prefixes: readonly string[],
  access: FileAccess,
): Promise<Session> {
  const askedMs = nowMs();
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    RoleSessionName: "firn-catalog",
    DurationSeconds: durationSeconds,
    Policy: sessionPolicy(prefixes, access),
  });
  const { Credentials: found } = await client.send(command).catch((cause: unknown) => {
    throw stsError(cause);
  });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = found ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new LakeError("unavailable", "The service for credentials gave none");
  }
  const endsMs = Expiration?.getTime() ?? askedMs + durationSeconds * 1000;
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return {
    prefixes,
    config: s3Config(address, keys, endsMs),
    renewAtMs: askedMs + (endsMs - askedMs) * (1 - LIFE_LEFT_MIN),
  };
}

function stsError(cause: unknown): LakeError {
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const refused = status === 400 || status === 403;
  const message = refused ? "The service for credentials refused" : "The service for credentials does not answer";
  const name = cause instanceof Error ? cause.name : undefined;
  return new LakeError(refused ? "unauthorized" : "unavailable", message, { cause, context: { status, name } });
}
