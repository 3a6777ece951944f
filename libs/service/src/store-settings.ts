import { ConfigError, type Setting } from "./settings.ts";

/** How an `s3://` warehouse is reached; the same for every service of a lake. Unused where the warehouse is a folder. */
export const storeSettings = {
  s3Endpoint: { env: "S3_ENDPOINT", type: "url", help: "S3 server, http(s)://host:port; without it AWS." },
  s3AccessKey: {
    env: "S3_ACCESS_KEY",
    type: "string",
    secret: true,
    help: "Access key id; without it what the catalog vends, else the AWS environment, files or role.",
  },
  s3SecretKey: { env: "S3_SECRET_KEY", type: "string", secret: true, help: "Secret of S3_ACCESS_KEY." },
  s3SessionToken: { env: "S3_SESSION_TOKEN", type: "string", secret: true, help: "Session token of temporary keys." },
  s3PathStyle: {
    env: "S3_PATH_STYLE_ACCESS",
    type: "boolean",
    help: "Buckets in the path instead of the host name; true as soon as S3_ENDPOINT is set.",
  },
  s3Region: { env: "AWS_REGION", type: "string", default: "us-east-1", help: "Region of the bucket." },
  s3Checksum: {
    env: "S3_CHECKSUM",
    type: "string",
    default: "CRC32",
    choices: ["CRC32", "SHA256"],
    help: "Checksum that goes with every object and is compared with what the server stored: CRC32 or SHA256.",
  },
  s3TimeoutMs: {
    env: "S3_TIMEOUT_MS",
    type: "int",
    default: 60_000,
    min: 100,
    max: 3_600_000,
    help: "Milliseconds after which an S3 request without an answer is sent again.",
  },
} as const satisfies Record<string, Setting>;

export interface StoreSettings {
  readonly s3Endpoint: string | undefined;
  readonly s3AccessKey: string | undefined;
  readonly s3SecretKey: string | undefined;
  readonly s3SessionToken: string | undefined;
  readonly s3PathStyle: boolean | undefined;
  readonly s3Region: string;
  readonly s3Checksum: "CRC32" | "SHA256";
  readonly s3TimeoutMs: number;
}

/**
 * The settings as the object store takes them.
 * @throws ConfigError when half of a pair of keys is there
 */
export function s3SettingsOf(settings: StoreSettings) {
  const { s3Endpoint, s3AccessKey, s3SecretKey, s3SessionToken, s3PathStyle } = settings;
  if ((s3AccessKey === undefined) !== (s3SecretKey === undefined)) {
    const env = s3AccessKey === undefined ? "S3_ACCESS_KEY" : "S3_SECRET_KEY";
    throw new ConfigError([{ env, rule: "is required where the other half of the pair is set" }]);
  }
  const keys =
    s3AccessKey === undefined || s3SecretKey === undefined
      ? undefined
      : { accessKeyId: s3AccessKey, secretAccessKey: s3SecretKey };
  const token = s3SessionToken === undefined ? {} : { sessionToken: s3SessionToken };
  return {
    region: settings.s3Region,
    checksum: settings.s3Checksum,
    timeoutMs: settings.s3TimeoutMs,
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(s3PathStyle === undefined ? {} : { pathStyle: s3PathStyle }),
    ...(keys === undefined ? {} : { credentials: { ...keys, ...token } }),
  };
}
