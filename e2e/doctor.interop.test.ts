/** `firn doctor` over a warehouse on S3: nothing on a healthy one, and the faults that only S3 has. */
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startService, type RunningService } from "@firn/service";
import { startNatsServer, startS3Server, tempFolder, type NatsServer, type S3Server } from "@firn/testing";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { catalogService } from "../apps/catalog/src/catalog-service.ts";
import { diagnoseLake } from "../apps/cli/src/doctor/diagnose.ts";
import { thisMachine } from "../apps/cli/src/doctor/probe-world.ts";

let folder: Awaited<ReturnType<typeof tempFolder>>;
let nats: NatsServer;
let s3: S3Server;
let catalog: RunningService;
let access: Record<string, string>;

beforeAll(async () => {
  folder = await tempFolder("doctor-s3");
  nats = await startNatsServer({ dir: join(folder.path, "nats") });
  s3 = await startS3Server({ kind: "versitygw", dir: join(folder.path, "s3") });
  const { accessKey, endpoint, secretKey } = s3;
  access = { S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey };
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  for (const Bucket of ["lake", "other"]) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
  catalog = await startService(catalogService, {
    ...access,
    FIRN_PORT: "0",
    FIRN_LOG_LEVEL: "silent",
    FIRN_DATA_DIR: join(folder.path, "catalog"),
    ICEBERG_WAREHOUSE: "s3://lake/warehouse",
  });
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await catalog?.close();
  await s3?.stop();
  await nats?.stop();
  await folder?.remove();
});

/** What is not well of catalog and warehouse: name and message. */
async function faults(warehouse: string, changes: Record<string, string> = {}): Promise<Record<string, string>> {
  for (const [name, value] of Object.entries({ ...access, ...changes })) vi.stubEnv(name, value);
  const endpoints = { nats: nats.url, nats_monitor: nats.monitorUrl, catalog: catalog.url, warehouse };
  const checks = await diagnoseLake({ dataDir: undefined, endpoints }, thisMachine);
  const looked = checks.filter(({ name }) => name.startsWith("catalog") || name === "warehouse");
  expect(looked.map(({ name }) => name)).toEqual(["catalog", "catalog-write", "warehouse"]);
  return Object.fromEntries(looked.filter(({ ok }) => !ok).map(({ name, message }) => [name, message]));
}

it("a healthy bucket has nothing to mend", async () => {
  expect(await faults("s3://lake/warehouse")).toEqual({});
});

it("a bucket that is another than the catalog's, and one that is not there", async () => {
  const outside = expect.stringContaining("outside of the warehouse s3://other/warehouse") as string;
  expect(await faults("s3://other/warehouse")).toEqual({ "catalog-write": outside });
  const missing = await faults("s3://missing/warehouse");
  expect(Object.keys(missing)).toEqual(["catalog-write", "warehouse"]);
  expect(missing["warehouse"]).toMatch(/put failed: .*missing/);
});

it("keys that are not right", async () => {
  const found = await faults("s3://lake/warehouse", { S3_SECRET_KEY: "wrong" });
  expect(Object.keys(found)).toEqual(["warehouse"]);
  expect(found["warehouse"]).toContain("put failed");
});
