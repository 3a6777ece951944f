import { isS3Location, type S3Settings } from "@firn/lake";
import { ConfigError } from "@firn/service";
import { noCredentials, staticCredentials, type CredentialVendor } from "./credential-vendor.ts";

export interface VendingSettings {
  readonly vending: "off" | "static" | "sts";
  readonly warehouse: string;
  readonly stsEndpoint: string | undefined;
  readonly stsRoleArn: string | undefined;
  readonly vendingSeconds: number;
}

/**
 * The vendor that the settings ask for.
 * @throws ConfigError where something that it needs is missing
 */
export async function openVendor(
  settings: VendingSettings,
  s3: S3Settings,
): Promise<CredentialVendor & { close?(): void }> {
  const { vending, warehouse, stsEndpoint, stsRoleArn } = settings;
  if (vending === "off") return noCredentials;
  if (!isS3Location(warehouse)) throw wrong("FIRN_CATALOG_VENDING", "needs a warehouse on S3");
  if (vending === "static") {
    if (s3.credentials === undefined) throw wrong("S3_ACCESS_KEY", "is required by FIRN_CATALOG_VENDING=static");
    return staticCredentials(s3, s3.credentials);
  }
  if (stsRoleArn === undefined) throw wrong("FIRN_CATALOG_STS_ROLE_ARN", "is required by FIRN_CATALOG_VENDING=sts");
  // The SDK is large: a catalog that vends nothing does without it.
  const { stsCredentials } = await import("./sts-credentials.ts");
  return stsCredentials({
    address: s3,
    endpoint: stsEndpoint ?? s3.endpoint,
    roleArn: stsRoleArn,
    durationSeconds: settings.vendingSeconds,
    credentials: s3.credentials,
    nowMs: Date.now,
  });
}

function wrong(env: string, rule: string): ConfigError {
  return new ConfigError([{ env, rule }]);
}
