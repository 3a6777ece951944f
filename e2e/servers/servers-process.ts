/**
 * An S3 server with an empty bucket, and if asked for another project's catalog on it, for scripts that are not
 * TypeScript: `node tools/run-ts.mjs e2e/servers/servers-process.ts DIR S3_KIND [CATALOG_KIND]`. Prints one line of JSON,
 * the environment of a lake on them. The line `kill-s3` on stdin kills the S3 server and starts it again a second
 * later; the end of stdin ends everything.
 */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  startRestCatalog,
  startS3Server,
  type RestCatalogServer,
  type S3Server,
  type S3ServerKind,
} from "@firn/testing";

const BUCKET = "lake";
const TABLE_BUCKET = "tables";
const AWAY_MS = 1_000;

const [dir = "", kind = "seaweedfs", catalogKind = "firn"] = process.argv.slice(2);
const s3 = await startS3Server({ kind: kind as S3ServerKind, dir: `${dir}/s3`, tableBucket: TABLE_BUCKET });
const client = new S3Client({
  endpoint: s3.endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
});
await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
client.destroy();
const catalog = await otherCatalog(s3);
process.stdout.write(`${JSON.stringify({ ...environmentOf(s3), ...catalog.environment })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== "kill-s3") continue;
  await s3.kill();
  await sleep(AWAY_MS);
  await s3.restart();
  process.stdout.write("restarted\n");
}
await catalog.server?.stop();
await s3.stop();

function environmentOf(server: S3Server): Record<string, string> {
  return {
    ICEBERG_WAREHOUSE: `s3a://${BUCKET}/warehouse`,
    S3_ENDPOINT: server.endpoint,
    S3_ACCESS_KEY: server.accessKey,
    S3_SECRET_KEY: server.secretKey,
    S3_PATH_STYLE_ACCESS: "true",
  };
}

interface OtherCatalog {
  readonly environment: Record<string, string>;
  readonly server?: RestCatalogServer;
}

/** `firn`: the lake starts its own. */
async function otherCatalog(server: S3Server): Promise<OtherCatalog> {
  if (catalogKind === "firn") return { environment: {} };
  if (catalogKind === "seaweedfs") {
    return {
      environment: {
        ICEBERG_CATALOG_URI: server.catalogUri ?? "",
        ICEBERG_CATALOG_WAREHOUSE: `s3://${TABLE_BUCKET}`,
        ICEBERG_CATALOG_CREDENTIAL: `${server.accessKey}:${server.secretKey}`,
        ICEBERG_WAREHOUSE: `s3://${TABLE_BUCKET}`,
      },
    };
  }
  const warehouse = `s3://${BUCKET}/warehouse`;
  const other = await startRestCatalog({ kind: catalogKind as "nessie", dir, warehouse, s3: server });
  return { environment: { ICEBERG_CATALOG_URI: other.uri }, server: other };
}
