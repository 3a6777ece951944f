import type { Setting } from "./settings.ts";

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
  s3PathStyle: {
    env: "S3_PATH_STYLE_ACCESS",
    type: "boolean",
    help: "Buckets in the path instead of the host name; true as soon as S3_ENDPOINT is set.",
  },
  s3Region: { env: "AWS_REGION", type: "string", default: "us-east-1", help: "Region of the bucket." },
} as const satisfies Record<string, Setting>;

export interface StoreSettings {
  readonly s3Endpoint: string | undefined;
  readonly s3AccessKey: string | undefined;
  readonly s3SecretKey: string | undefined;
  readonly s3PathStyle: boolean | undefined;
  readonly s3Region: string;
}

/** The settings as the object store takes them. */
export function s3SettingsOf(settings: StoreSettings) {
  const { s3Endpoint, s3AccessKey, s3SecretKey, s3PathStyle, s3Region } = settings;
  const credentials =
    s3AccessKey === undefined || s3SecretKey === undefined
      ? undefined
      : { accessKeyId: s3AccessKey, secretAccessKey: s3SecretKey };
  return {
    region: s3Region,
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(s3PathStyle === undefined ? {} : { pathStyle: s3PathStyle }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}
